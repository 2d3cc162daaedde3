// SPDX-License-Identifier: AGPL-3.0-or-later

package certificate

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/care"
)

// clock stands still until it is moved.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time        { return time.UnixMilli(c.at.Load()) }
func (c *clock) pass(by time.Duration) { c.at.Add(by.Milliseconds()) }
func newClock() *clock                 { c := &clock{}; c.at.Store(1_800_000_000_000); return c }

// memory keeps secrets as long as a test lasts.
type memory struct {
	mu      sync.Mutex
	secrets map[string][]byte
	held    map[string]lease
}

type lease struct {
	by    string
	until int64
}

func newMemory() *memory { return &memory{secrets: map[string][]byte{}, held: map[string]lease{}} }

func (m *memory) Secret(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b, ok := m.secrets[name]; ok {
		return bytes.Clone(b), nil
	}
	return nil, care.Missing()
}

func (m *memory) PutSecret(_ context.Context, name string, plain []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets[name] = bytes.Clone(plain)
	return nil
}

func (m *memory) DropSecret(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.secrets, name)
	return nil
}

func (m *memory) Lease(_ context.Context, name, holder string, now, until int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.held[name]; l.by != holder && l.until > now {
		return false, nil
	}
	m.held[name] = lease{holder, until}
	return true, nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pair writes a certificate of its own making and its key.
func pair(t *testing.T, dir, name string, from, until time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	must(t, err)
	secret, err := x509.MarshalECPrivateKey(k)
	must(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

// TestFilesAreReadAgain: a renewed certificate is shown without a restart; half a
// change or one that has ended leaves the last good one.
func TestFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	var log bytes.Buffer
	begin := c.now().Add(-time.Hour)
	cert, key := pair(t, dir, "one.example.org", begin, c.now().AddDate(0, 3, 0))
	f, err := FromFiles(cert, key, c.now, slog.New(slog.NewTextHandler(&log, nil)))
	must(t, err)
	shows := func(name string) {
		t.Helper()
		got, err := f.TLS().GetCertificate(&tls.ClientHelloInfo{})
		must(t, err)
		if got.Leaf.DNSNames[0] != name || f.Leaf() != got.Leaf {
			t.Errorf("%s is shown, not %s", got.Leaf.DNSNames[0], name)
		}
	}
	shows("one.example.org")
	pair(t, dir, "two.example.org", begin, c.now().AddDate(0, 3, 0))
	shows("one.example.org") // nobody looked yet
	c.pass(lookAgain)
	shows("two.example.org")
	second, err := os.ReadFile(cert)
	must(t, err)
	pair(t, dir, "three.example.org", begin, c.now().AddDate(0, 3, 0))
	third, err := os.ReadFile(cert)
	must(t, err)
	must(t, os.WriteFile(cert, second, 0o600)) // the key has changed, its certificate not yet
	c.pass(lookAgain)
	shows("two.example.org")
	must(t, os.WriteFile(cert, third, 0o600))
	c.pass(lookAgain)
	shows("three.example.org")
	pair(t, dir, "ended.example.org", begin, c.now().Add(-time.Minute))
	for range 3 {
		c.pass(lookAgain)
		shows("three.example.org")
	}
	must(t, os.Remove(key))
	for range 3 {
		c.pass(lookAgain)
		shows("three.example.org")
	}
	for text, times := range map[string]int{"was read again": 2, "no certificate and its key": 1, "ended on": 1, "there is no key": 1} {
		if got := strings.Count(log.String(), text); got != times {
			t.Errorf("%q was logged %d times:\n%s", text, got, &log)
		}
	}
}

// TestFilesRefused: each fault is one sentence that names the file.
func TestFilesRefused(t *testing.T) {
	t.Parallel()
	c := newClock()
	from, until := c.now().Add(-time.Hour), c.now().Add(time.Hour)
	for says, spoil := range map[string]func(dir, cert, key string) (string, string){
		"there is no certificate at": func(dir, _, key string) (string, string) { return filepath.Join(dir, "none.pem"), key },
		"there is no key of the":     func(dir, cert, _ string) (string, string) { return cert, filepath.Join(dir, "none.pem") },
		"everybody on this machine":  func(_, cert, key string) (string, string) { must(t, os.Chmod(key, 0o644)); return cert, key },
		"are no certificate and its": func(_, cert, key string) (string, string) {
			must(t, os.WriteFile(key, []byte("x"), 0o600))
			return cert, key
		},
		"cannot be read":              func(dir, cert, _ string) (string, string) { return cert, dir },
		"ended on 2027-01-15":         func(dir, _, _ string) (string, string) { return pair(t, dir, "a.b", from, from.Add(time.Minute)) },
		"is the clock of this machin": func(dir, _, _ string) (string, string) { return pair(t, dir, "a.b", until, until.Add(time.Hour)) },
	} {
		dir := t.TempDir()
		cert, key := spoil(dir, filepath.Join(dir, "cert.pem"), func() string { _, k := pair(t, dir, "a.b", from, until); return k }())
		_, err := FromFiles(cert, key, c.now, slog.Default())
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", says, err)
		}
	}
}

func TestEnding(t *testing.T) {
	t.Parallel()
	begin := newClock().now()
	for _, x := range []struct {
		lives, passed time.Duration
		says          string
	}{
		{90 * 24 * time.Hour, 60 * 24 * time.Hour, ""},
		{90 * 24 * time.Hour, 81 * 24 * time.Hour, "has not been renewed"},
		{90 * 24 * time.Hour, 91 * 24 * time.Hour, "browsers refuse it"},
		{6 * 24 * time.Hour, 4 * 24 * time.Hour, ""},
		{6 * 24 * time.Hour, 5 * 24 * time.Hour, "has not been renewed"},
	} {
		got := Ending(&x509.Certificate{NotBefore: begin, NotAfter: begin.Add(x.lives)}, begin.Add(x.passed))
		if (x.says == "") != (got == "") || !strings.Contains(got, x.says) {
			t.Errorf("%v of %v: %q", x.passed, x.lives, got)
		}
	}
}

// handshake lets a browser that trusts only this authority open a name, by what
// the server shows.
func handshake(ca []byte, shown *tls.Certificate, name string, at time.Time) error {
	root, err := x509.ParseCertificate(ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	leaf, err := x509.ParseCertificate(shown.Certificate[0])
	if err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}

// TestOwnAuthority: a device that trusts it accepts this server, for years and
// after restarts, and nothing else that the authority could be made to vouch for.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	c, k := newClock(), newMemory()
	names := []string{"192.168.1.20", "entente.home.arpa"}
	o, made, err := OpenOwn(t.Context(), k, names, c.now)
	must(t, err)
	if !made || len(o.Fingerprint()) != 95 {
		t.Errorf("made %v, fingerprint %s", made, o.Fingerprint())
	}
	ca := o.Authority()
	again, made, err := OpenOwn(t.Context(), k, []string{names[1], names[0]}, c.now)
	must(t, err)
	if made || again.Fingerprint() != o.Fingerprint() {
		t.Error("a restart makes another authority")
	}
	serials := map[string]bool{}
	for range 60 { // nine years
		c.pass(55 * 24 * time.Hour)
		shown, err := o.TLS().GetCertificate(&tls.ClientHelloInfo{})
		must(t, err)
		serials[shown.Leaf.SerialNumber.String()] = true
		for _, name := range names {
			must(t, handshake(ca, shown, name, c.now()))
		}
		if handshake(ca, shown, "192.168.1.21", c.now()) == nil {
			t.Fatal("it stands for another address")
		}
	}
	if len(serials) != 60 {
		t.Errorf("%d certificates in nine years", len(serials))
	}
	late, made, err := OpenOwn(t.Context(), k, names, c.now)
	must(t, err)
	if !made || late.Fingerprint() == o.Fingerprint() {
		t.Error("an authority that ends within a year is not replaced")
	}
	if _, _, err := OpenOwn(t.Context(), k, []string{"192.168.1.30"}, c.now); err == nil || !strings.Contains(err.Error(), "start this one again") {
		t.Errorf("two at once: %v", err)
	}
	c.pass(time.Minute)
	moved, made, err := OpenOwn(t.Context(), k, []string{"192.168.1.30"}, c.now)
	must(t, err)
	if !made || moved.Fingerprint() == late.Fingerprint() {
		t.Error("another address has the same authority")
	}
}

// TestOwnAuthorityVouchesForNothingElse: even its key cannot stand for a bank.
func TestOwnAuthorityVouchesForNothingElse(t *testing.T) {
	t.Parallel()
	c := newClock()
	for _, names := range [][]string{{"192.168.1.20"}, {"entente.home.arpa"}, {"fd00::20"}} {
		o, _, err := OpenOwn(t.Context(), newMemory(), names, c.now)
		must(t, err)
		for _, name := range []string{"bank.example", "192.168.1.21", "8.8.8.8", "2001:db8::1", "fd00::21", "home.arpa"} {
			thief := &Own{names: []string{name}, now: c.now, ca: o.ca, key: o.key}
			shown, err := thief.current()
			must(t, err)
			if err := handshake(o.Authority(), shown, name, c.now()); err == nil {
				t.Errorf("the authority for %v vouches for %s", names, name)
			}
		}
	}
}

// TestNoOrderByStrangers: whatever name is asked for, and whoever asks, nothing
// is ordered; a name that is no domain is refused at the start.
func TestNoOrderByStrangers(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	authority := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(authority.Close)
	a, err := New(Order{Domains: []string{"Care.Example.org", "münchen.example"}, Directory: authority.URL, Keeper: newMemory(), Log: slog.Default()})
	must(t, err)
	for _, name := range []string{"", "care.example.org", "CARE.example.org.", "münchen.example", "evil.example", "127.0.0.1", strings.Repeat("a.", 200)} {
		for _, protocols := range [][]string{nil, {"h2"}, {"acme-tls/1"}} {
			if got, err := a.TLS().GetCertificate(&tls.ClientHelloInfo{ServerName: name, SupportedProtos: protocols}); err == nil {
				t.Errorf("%q gets %v", name, got)
			}
		}
	}
	if asked.Load() > 0 || a.Leaf() != nil {
		t.Errorf("the authority was asked %d times", asked.Load())
	}
	for _, bad := range []string{"", "localhost", "192.168.1.20", "*.example.org", "a b.example"} {
		if _, err := New(Order{Domains: []string{bad}}); err == nil || !strings.Contains(err.Error(), "--domain") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestFailureIsSaid: an authority that refuses is quoted, one that cannot be
// reached too; then it is tried again after longer and longer.
func TestFailureIsSaid(t *testing.T) {
	t.Parallel()
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates already"}`))
	}))
	t.Cleanup(refuses.Close)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, gone.Close())
	for directory, says := range map[string]string{refuses.URL: "too many certificates already", "http://" + gone.Addr().String(): "could not be asked"} {
		ctx, stop := context.WithCancel(t.Context())
		lines := make(chan string, 4)
		a, err := New(Order{Domains: []string{"care.invalid"}, Directory: directory, Keeper: newMemory(), Log: slog.New(slog.NewTextHandler(tell(lines), nil))})
		must(t, err)
		a.firstly = []time.Duration{time.Millisecond}
		done := make(chan struct{})
		go func() { defer close(done); a.Obtain(ctx) }()
		if line := <-lines; !strings.Contains(line, says) {
			t.Errorf("%q: %s", says, line)
		}
		if line := <-lines; !strings.Contains(line, "no certificate for care.invalid") {
			t.Errorf("it is not tried again: %s", line)
		}
		stop()
		for open := true; open; {
			select {
			case <-lines:
			case <-done:
				open = false
			}
		}
	}
}

// tell hands on what is logged.
type tell chan string

func (c tell) Write(b []byte) (int, error) { c <- string(b); return len(b), nil }
