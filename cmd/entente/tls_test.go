// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificateFiles writes a certificate that only this test trusts.
func certificateFiles(t *testing.T, dir string, until time.Time, names ...string) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names, IPAddresses: []net.IP{{127, 0, 0, 1}}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: until.AddDate(-1, 0, 0), NotAfter: until, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "cert-key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cert, key, roots
}

// secure is a browser that trusts these roots and finds every name on this
// machine; it follows nothing.
func secure(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func fetch(t *testing.T, by *http.Client, url string) (*http.Response, []byte) {
	t.Helper()
	r, err := by.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, body
}

// TestRefusedToServe: whatever would be served in the clear or with a bad
// certificate is refused in one sentence that says what to do.
func TestRefusedToServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, _ := certificateFiles(t, dir, time.Now().AddDate(0, 1, 0), "care.example.org")
	old, oldKey, _ := certificateFiles(t, t.TempDir(), time.Now().Add(-time.Hour), "care.example.org")
	open := filepath.Join(dir, "open.key")
	if err := os.WriteFile(open, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close() //nolint:errcheck // only held a port
	for says, args := range map[string][]string{
		"for everybody there to read":                        {"--listen=0.0.0.0:0"},
		"another program listens":                            {"--listen=" + busy.Addr().String()},
		"no address of this machine":                         {"--listen=203.0.113.7:0"},
		"another program listens on " + busy.Addr().String(): {"--listen=127.0.0.1:0", "--domain=care.example.org", "--plain-listen=" + busy.Addr().String()},
		"give one of them":                                   {"--domain=care.example.org", "--lan=192.168.1.20"},
		"belong together":                                    {"--cert=" + cert},
		"has to begin with https://":                         {"--cert=" + cert, "--cert-key=" + key, "--url=http://care.example.org"},
		"there is no key":                                    {"--cert=" + cert, "--cert-key=" + filepath.Join(dir, "none")},
		"everybody on this machine":                          {"--cert=" + cert, "--cert-key=" + open},
		"are no certificate and its key":                     {"--cert=" + cert, "--cert-key=" + oldKey},
		"ended on":                                           {"--cert=" + old, "--cert-key=" + oldKey},
		"browsers would refuse it":                           {"--cert=" + cert, "--cert-key=" + key, "--url=https://other.example.org"},
		"no name that a certificate":                         {"--domain=192.168.1.20"},
		"holds no certificate":                               {"--domain=care.example.org", "--acme-roots=" + open},
		"not an address of a network":                        {"--lan=203.0.113.7"},
		"neither an address like":                            {"--lan=http://192.168.1.20"},
	} {
		usual := []string{"serve", "--data=" + t.TempDir(), "--key=" + filepath.Join(t.TempDir(), "entente.key")}
		if !strings.Contains(strings.Join(args, " "), "--listen") {
			usual = append(usual, "--listen=127.0.0.1:0")
		}
		if !strings.Contains(strings.Join(args, " "), "--plain-listen") {
			usual = append(usual, "--plain-listen=off")
		}
		out, ok := command(t, append(usual, args...)...)
		if ok || !strings.Contains(out, says) || strings.Count(out, "\n") != 1 {
			t.Errorf("%q: %s", says, out)
		}
	}
	if out, ok := command(t, "demo", "--listen=0.0.0.0:0", "--data="+t.TempDir()); ok || !strings.Contains(out, "this machine only") {
		t.Errorf("the demo: %s", out)
	}
}

// TestOwnCertificate: certificate files, and what TLS itself promises: the old
// versions and another name are refused, HSTS, secure cookies, HTTP/2, and plain
// HTTP leads there and takes nothing.
func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, roots := certificateFiles(t, dir, time.Now().AddDate(0, 1, 0), "localhost")
	p := entente(t, "serve", "--data="+dir, "--key="+filepath.Join(dir, "entente.key"), "--listen=127.0.0.1:0", "--plain-listen=127.0.0.1:0", "--cert="+cert, "--cert-key="+key)
	base := p.after(" serves ")
	plain := p.after("plain HTTP is led there from ")
	by := secure(roots)
	r, _ := fetch(t, by, base+"/setup")
	if r.StatusCode != http.StatusOK || r.ProtoMajor != 2 || !strings.HasPrefix(r.Header.Get("Strict-Transport-Security"), "max-age=31536000") {
		t.Errorf("%s %s, HSTS %q", r.Proto, r.Status, r.Header.Get("Strict-Transport-Security"))
	}
	lang, err := http.NewRequest("POST", base+"/language", strings.NewReader("lang=it&back=/"))
	if err != nil {
		t.Fatal(err)
	}
	lang.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r, err = by.Do(lang); err != nil {
		t.Fatal(err)
	}
	if c := r.Cookies(); r.Body.Close() != nil || len(c) != 1 || !c[0].Secure || !strings.HasPrefix(c[0].Name, "__Host-") {
		t.Errorf("cookies: %v", c)
	}
	at := strings.TrimPrefix(base, "https://")
	for name, c := range map[string]*tls.Config{
		"TLS 1.1":    {RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"CBC":        {RootCAs: roots, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
		"other name": {RootCAs: roots, ServerName: "bank.example"},
	} {
		if conn, err := tls.Dial("tcp", at, c); err == nil {
			t.Errorf("%s was accepted: %v", name, conn.Close())
		}
	}
	conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatalf("TLS 1.2: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	r, _ = fetch(t, by, plain+"/f/TOKEN?x=1")
	if r.StatusCode != http.StatusMovedPermanently || r.Header.Get("Location") != base+"/f/TOKEN?x=1" {
		t.Errorf("plain HTTP: %s %s", r.Status, r.Header.Get("Location"))
	}
	if r, err = by.Post(plain+"/signin", "text/plain", strings.NewReader("x")); err != nil || r.StatusCode != http.StatusForbidden || r.Body.Close() != nil {
		t.Errorf("a password sent in the clear: %v %v", r, err)
	}
}

// TestOwnNetwork: a device that compares the fingerprint and installs the
// authority opens the pages; one that does not is warned; it holds after a restart.
func TestOwnNetwork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{"serve", "--data=" + dir, "--key=" + filepath.Join(dir, "entente.key"), "--listen=127.0.0.1:0", "--plain-listen=127.0.0.1:0", "--lan=127.0.0.1"}
	var first string
	for round := range 2 {
		p := entente(t, args...)
		base := p.after(" serves ")
		say := p.wait("own network")
		_, from, _ := strings.Cut(say, "so open ")
		from, _, _ = strings.Cut(from, " ")
		fingerprint := p.after("fingerprint: ")
		r, der := fetch(t, http.DefaultClient, from)
		sum := sha256.Sum256(der)
		if got := strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":"); got != fingerprint || r.Header.Get("Content-Type") != "application/x-x509-ca-cert" {
			t.Fatalf("the fingerprint is %s, not %s (%s)", got, fingerprint, r.Header.Get("Content-Type"))
		}
		if round == 0 {
			first = fingerprint
		}
		if fingerprint != first || strings.Contains(say, "It is new") != (round == 0) {
			t.Errorf("after a restart: %s", say)
		}
		ca, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		if _, err := secure(roots).Get(base + "/setup"); err == nil {
			t.Error("a device that was told nothing is not warned")
		}
		roots.AddCert(ca)
		if r, _ := fetch(t, secure(roots), base+"/setup"); r.StatusCode != http.StatusOK {
			t.Errorf("%s", r.Status)
		}
		if _, same := fetch(t, secure(roots), base+authorityPath); string(same) != string(der) {
			t.Error("the other port gives another authority")
		}
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		p.finish()
	}
}
