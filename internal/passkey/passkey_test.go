// SPDX-License-Identifier: AGPL-3.0-or-later

package passkey_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/passkey"
	"github.com/entente-project/entente/internal/passkey/passkeytest"
)

const challenge = "a challenge of 26 letters."

var (
	site = passkey.Site{Host: "entente.example.org", Origin: "https://entente.example.org", Name: "Entente"}
	who  = passkey.Person{ID: "019f", Name: "neri@example.org", Display: "Dr Neri"}
)

func get[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// made is a device with a passkey, and what is kept of it, after a way through the
// database.
func made(t *testing.T, lie func(*passkeytest.Device)) (*passkeytest.Device, passkey.Credential, error) {
	t.Helper()
	d := passkeytest.New(site.Origin, site.Host)
	if lie != nil {
		lie(d)
	}
	answer := get[[]byte](t)(d.Make(string(get[[]byte](t)(site.Add(who, nil, challenge)))))
	c, err := site.Added(who, challenge, answer)
	if err != nil {
		return d, c, err
	}
	kept := get[[]byte](t)(json.Marshal(c))
	if strings.Contains(string(kept), "example.org") {
		t.Errorf("what is kept names the site: %s", kept)
	}
	var again passkey.Credential
	get[struct{}](t)(struct{}{}, json.Unmarshal(kept, &again))
	return d, again, nil
}

func shown(t *testing.T, d *passkeytest.Device, c passkey.Credential) (passkey.Credential, error) {
	t.Helper()
	return site.Shown(who, c, challenge, get[[]byte](t)(d.Show(string(get[[]byte](t)(site.Show(challenge))))))
}

// TestPasskey: what a device makes lets it in again and again; what it is asked
// names the other passkeys, and demands that it makes sure of the person.
func TestPasskey(t *testing.T) {
	t.Parallel()
	d, c, err := made(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if c, err = shown(t, d, c); err != nil {
			t.Fatal(err)
		}
	}
	for d.Counter = 5; d.Counter < 8; d.Counter++ {
		if c, err = shown(t, d, c); err != nil {
			t.Fatalf("counter %d: %v", d.Counter, err)
		}
	}
	said := get[passkey.Said](t)(passkey.Read(get[[]byte](t)(d.Show(string(get[[]byte](t)(site.Show(challenge)))))))
	if said.Challenge != challenge || string(said.Credential) != string(d.ID) {
		t.Errorf("%q", said)
	}
	asked := string(get[[]byte](t)(site.Add(who, []passkey.Credential{c}, challenge)))
	for _, want := range []string{`"residentKey":"required"`, `"userVerification":"required"`, `"excludeCredentials":[{`, `"attestation":"none"`} {
		if !strings.Contains(asked, want) {
			t.Errorf("%s is not in %s", want, asked)
		}
	}
}

// TestLies: every answer that is not what it should be is refused.
func TestLies(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(*passkeytest.Device){
		"another site's page": func(d *passkeytest.Device) { d.Origin = "https://entente.example.com" },
		"another site":        func(d *passkeytest.Device) { d.Host = "example.org" },
		"nobody made sure of": func(d *passkeytest.Device) { d.Unproved = true },
		"another purpose":     func(d *passkeytest.Device) { d.Type = "payment.get" },
	} {
		if _, _, err := made(t, lie); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("made, %s: %v", name, err)
		}
		d, c, err := made(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		lie(d)
		if _, err := shown(t, d, c); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("shown, %s: %v", name, err)
		}
	}
	for name, lie := range map[string]func(*passkeytest.Device){
		"a signature of something else": func(d *passkeytest.Device) { d.Spoiled = true },
		"somebody else's":               func(d *passkeytest.Device) { d.Handle = "019e" },
		"a counter that stands still":   func(d *passkeytest.Device) { d.Counter = 7 },
		"a counter that went back":      func(d *passkeytest.Device) { d.Counter = 3 },
		"no counter any more":           func(d *passkeytest.Device) { d.Counter = 0 },
		"suddenly kept elsewhere":       func(d *passkeytest.Device) { d.Backup = true },
		"another passkey":               func(d *passkeytest.Device) { d.ID = []byte("another passkey!") },
	} {
		d, c, err := made(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		d.Counter = 7
		if c, err = shown(t, d, c); err != nil {
			t.Fatal(err)
		}
		d.Counter = 8
		lie(d)
		if _, err := shown(t, d, c); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, c, err := made(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer := get[[]byte](t)(d.Show(string(get[[]byte](t)(site.Show(challenge)))))
	if _, err := site.Shown(who, c, "another challenge of letters", answer); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("another challenge: %v", err)
	}
	for _, bad := range []string{"", "{}", `{"response":{"clientDataJSON":"e30"}}x`, `{"rawId":"%","response":{"clientDataJSON":"e30"}}`, `{"response":{"clientDataJSON":"%"}}`} {
		_, first := site.Added(who, challenge, []byte(bad))
		_, second := site.Shown(who, c, challenge, []byte(bad))
		if !errors.Is(first, passkey.ErrRefused) || !errors.Is(second, passkey.ErrRefused) {
			t.Errorf("%q: %v, %v", bad, first, second)
		}
	}
}

// TestSite: browsers make passkeys for names and TLS, and on the machine itself.
func TestSite(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://entente.example.org": "entente.example.org", "https://entente.example.org:8443": "entente.example.org", "http://localhost:8080": "localhost",
		"http://127.0.0.1:8080": "", "https://192.168.1.4": "", "https://[::1]:443": "", "http://entente.example.org": "", "": "", "%": "",
	} {
		s, ok := passkey.NewSite(base, "Entente")
		if s.Host != want || ok != (want != "") {
			t.Errorf("%s: %+v, %v", base, s, ok)
		}
	}
}

// FuzzRead: no answer, however odd, does more than be refused.
func FuzzRead(f *testing.F) {
	d := passkeytest.New(site.Origin, site.Host)
	asked, err := site.Add(who, nil, challenge)
	if err != nil {
		f.Fatal(err)
	}
	answer, err := d.Make(string(asked))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(answer)
	f.Add([]byte(`{"rawId":"","response":{}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if _, err := passkey.Read(answer); err != nil && !errors.Is(err, passkey.ErrRefused) {
			t.Error(err)
		}
		if _, err := site.Shown(who, passkey.Credential{}, challenge, answer); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("an unknown passkey was believed: %v", err)
		}
	})
}
