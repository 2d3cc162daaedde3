// SPDX-License-Identifier: AGPL-3.0-or-later

package oidc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/oidc/oidctest"
)

var anna = oidctest.Person{Subject: "248289761001", Email: "anna@example.org", Verified: true}

// noon is the test's now.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func fixed() time.Time { return noon }

const back = "https://entente.example.org/signin/with/a/back"

func started(t *testing.T) (*oidctest.Provider, *Provider) {
	t.Helper()
	far := oidctest.Start(t, fixed)
	far.SignIn(anna)
	return far, New(Config{ID: "a", Name: "A", Issuer: far.Issuer, ClientID: oidctest.ClientID, secret: oidctest.Secret}, fixed)
}

func begun(n string) Begun {
	return Begun{Redirect: back, State: "state-" + n, Nonce: "nonce-" + n, Verifier: strings.Repeat("verifier-"+n, 6)}
}

// visit goes to the provider as a browser and gives what it would bring back.
func visit(t *testing.T, p *Provider, b Begun) (Answer, url.Values) {
	t.Helper()
	address, err := p.Address(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // nothing is read
	to, err := r.Location()
	if err != nil {
		t.Fatalf("%d: %v", r.StatusCode, err)
	}
	q := to.Query()
	return Answer{Code: q.Get("code"), Iss: q.Get("iss")}, q
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	far, p := started(t)
	b := begun("1")
	a, q := visit(t, p, b)
	if q.Get("state") != b.State {
		t.Errorf("%v", q)
	}
	id, err := p.Identify(t.Context(), b, a)
	if want := (Identity{Issuer: far.Issuer, Subject: anna.Subject, Email: anna.Email}); err != nil || id != want {
		t.Errorf("%+v, %v", id, err)
	}
	if _, err := p.Identify(t.Context(), b, a); !errors.Is(err, ErrRefused) {
		t.Errorf("the same code again: %v", err)
	}
	for range 3 {
		visit(t, p, b)
	}
	if n := far.Asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("asked %d times what it is", n)
	}
}

// TestAttacks: each lie of a provider, and each answer brought by somebody else,
// is refused; the honest sign-in after it works.
func TestAttacks(t *testing.T) {
	t.Parallel()
	far, p := started(t)
	hmacKey := func(signed string) []byte { // the client's secret taken for a key
		m := hmac.New(sha256.New, []byte(oidctest.Secret))
		m.Write([]byte(signed))
		return m.Sum(nil)
	}
	sec := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, lie := range map[string]func(){
		"another nonce":             func() { far.Claim("nonce", "nonce-2") },
		"no nonce":                  func() { far.Claim("nonce", nil) },
		"another audience":          func() { far.Claim("aud", "another client") },
		"two audiences, no party":   func() { far.Claim("aud", []string{oidctest.ClientID, "another client"}) },
		"another party":             func() { far.Claim("azp", "another client") },
		"expired":                   func() { far.Claim("exp", sec(-time.Second)) },
		"issued long ago":           func() { far.Claim("iat", sec(-time.Hour)) },
		"issued in the future":      func() { far.Claim("iat", sec(time.Hour)) },
		"not yet valid":             func() { far.Claim("nbf", sec(time.Hour)) },
		"another issuer":            func() { far.Claim("iss", "https://accounts.example.org") },
		"no subject":                func() { far.Claim("sub", "") },
		"another access token":      func() { far.Claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA") },
		"alg none":                  far.Unsigned,
		"alg HS256":                 func() { far.SignAs("HS256", hmacKey) },
		"a wrong signature":         func() { far.SignAs("ES256", func(string) []byte { return make([]byte, 64) }) },
		"an answer of another":      func() { far.ComesFrom("https://accounts.example.org") },
		"an answer that names none": func() { far.ComesFrom("") },
	} {
		lie()
		b := begun("1")
		a, _ := visit(t, p, b)
		id, err := p.Identify(t.Context(), b, a)
		if !errors.Is(err, ErrRefused) || id != (Identity{}) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
		far.Honest()
		a, _ = visit(t, p, b)
		if _, err := p.Identify(t.Context(), b, a); err != nil {
			t.Errorf("after %q: %v", name, err)
		}
	}
}

// TestCodeInjection: a code that was made in another browser's attempt, for
// another address or by another provider opens nothing.
func TestCodeInjection(t *testing.T) {
	t.Parallel()
	far, p := started(t)
	theirs, _ := visit(t, p, begun("2"))
	if _, err := p.Identify(t.Context(), begun("1"), theirs); !errors.Is(err, ErrRefused) {
		t.Errorf("another attempt's code: %v", err)
	}
	b := begun("1")
	a, _ := visit(t, p, b)
	b.Redirect += "/x"
	if _, err := p.Identify(t.Context(), b, a); !errors.Is(err, ErrRefused) {
		t.Errorf("another address: %v", err)
	}
	other, q := started(t)
	a, _ = visit(t, p, begun("1"))
	asked := other.Asked("/token")
	if _, err := q.Identify(t.Context(), begun("1"), a); !errors.Is(err, ErrRefused) || other.Asked("/token") != asked {
		t.Errorf("a code of %s shown to %s: %v", far.Issuer, other.Issuer, err)
	}
}

func TestMailAddressAndFactors(t *testing.T) {
	t.Parallel()
	far, _ := started(t)
	for _, x := range []struct {
		change func(*Config)
		person func(*oidctest.Person)
		email  string
		second bool
	}{
		{nil, func(p *oidctest.Person) { p.Verified = false }, "", false},
		{nil, func(p *oidctest.Person) { p.Verified = "true" }, anna.Email, false},
		{nil, func(p *oidctest.Person) { p.Verified = nil }, "", false},
		{func(c *Config) { c.AddressesVerified = true }, func(p *oidctest.Person) { p.Verified = nil }, anna.Email, false},
		{nil, func(p *oidctest.Person) { p.AMR, p.ACR = []string{"pwd", "otp"}, "gold" }, anna.Email, false},
		{func(c *Config) { c.Second.AMR = []string{"mfa", "otp"} }, func(p *oidctest.Person) { p.AMR = []string{"pwd", "otp"} }, anna.Email, true},
		{func(c *Config) { c.Second.AMR = []string{"mfa"} }, func(p *oidctest.Person) { p.AMR = []string{"pwd", "otp"} }, anna.Email, false},
		{func(c *Config) { c.Second.ACR = []string{"gold"} }, func(p *oidctest.Person) { p.ACR = "gold" }, anna.Email, true},
		{func(c *Config) { c.Second.ACR = []string{"gold"} }, func(p *oidctest.Person) { p.ACR = "silver" }, anna.Email, false},
	} {
		cfg := Config{ID: "a", Name: "A", Issuer: far.Issuer, ClientID: oidctest.ClientID, secret: oidctest.Secret}
		if x.change != nil {
			x.change(&cfg)
		}
		who := anna
		x.person(&who)
		far.SignIn(who)
		p := New(cfg, fixed)
		a, _ := visit(t, p, begun("1"))
		if id, err := p.Identify(t.Context(), begun("1"), a); err != nil || id.Email != x.email || id.Second != x.second {
			t.Errorf("%+v: %+v, %v", who, id, err)
		}
	}
}

// TestAway: a provider that cannot be asked is no refusal, is asked again, and
// one that leads elsewhere or to an open line is not followed.
func TestAway(t *testing.T) {
	t.Parallel()
	far, p := started(t)
	far.Down(true)
	if _, err := p.Address(t.Context(), begun("1")); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("%v", err)
	}
	far.Down(false)
	a, _ := visit(t, p, begun("1"))
	far.Down(true)
	if _, err := p.Identify(t.Context(), begun("1"), a); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("without its answer: %v", err)
	}
	body := func(issuer, token string) string {
		return `{"issuer":"` + issuer + `","authorization_endpoint":"` + issuer + `/a","token_endpoint":"` + token + `","jwks_uri":"` + issuer + `/k"}`
	}
	for name, do := range map[string]func(w http.ResponseWriter, r *http.Request, me string){
		"a redirect": func(w http.ResponseWriter, r *http.Request, me string) {
			http.Redirect(w, r, far.Issuer, http.StatusFound)
		},
		"another issuer": func(w http.ResponseWriter, _ *http.Request, _ string) {
			_, _ = w.Write([]byte(body(far.Issuer, far.Issuer+"/t")))
		},
		"an open line": func(w http.ResponseWriter, _ *http.Request, me string) {
			_, _ = w.Write([]byte(body(me, "http://accounts.example.org/t")))
		},
		"too much": func(w http.ResponseWriter, _ *http.Request, me string) {
			_, _ = w.Write([]byte(strings.Repeat(" ", mostBytes) + body(me, me+"/t")))
		},
	} {
		var me string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(w, r, me) }))
		me = srv.URL
		if _, err := New(Config{ID: "b", Issuer: me, ClientID: "x"}, fixed).Address(context.Background(), begun("1")); err == nil {
			t.Errorf("%s is taken", name)
		}
		srv.Close()
	}
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("secret", "s3cret\n")
	write("empty", "\n")
	good := "providers:\n- id: a\n  name: A\n  issuer: https://accounts.example.org\n  client_id: x\n  secret_file: secret\n  second: {amr: [mfa]}\n"
	all, err := ReadConfig(write("good.yaml", good))
	if err != nil || len(all) != 1 || all[0].secret != "s3cret" || all[0].Second.AMR[0] != "mfa" {
		t.Fatalf("%+v, %v", all, err)
	}
	for name, c := range map[string][2]string{
		"a field nobody knows": {"client_id: x", "client: x"}, "no id": {"id: a", "id: A B"}, "no name": {"name: A", "name: ''"}, "an open line": {"https://", "http://"},
		"no address": {"https://accounts.example.org", "accounts"}, "no secret": {"secret_file: secret", "secret_file: none"}, "an empty secret": {"secret_file: secret", "secret_file: empty"},
		"twice": {"providers:\n", "providers:\n- {id: a, name: B, issuer: 'https://b.example.org', client_id: x}\n"},
	} {
		if _, err := ReadConfig(write("bad.yaml", strings.Replace(good, c[0], c[1], 1))); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if all, err := ReadConfig(write("none.yaml", "")); err != nil || len(all) != 0 {
		t.Errorf("an empty file: %v %v", all, err)
	}
}
