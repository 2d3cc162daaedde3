// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/entente-project/entente/internal/store/storetest"
)

// pebbleAt is where scripts/setup-pebble puts the authority.
const pebbleAt = "../../.tools/pebble-v2.10.1/pebble"

// authority is Let's Encrypt's own test server, with a world in which every name
// of ours has an address on this machine.
type authority struct {
	directory, roots string
	http, tls        *crossing
}

// startAuthority begins one whose certificates live for so many seconds.
func startAuthority(t *testing.T, lives int) authority {
	t.Helper()
	program, err := filepath.Abs(pebbleAt)
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		t.Fatalf("the authority of this test is missing; bash scripts/setup-pebble builds it: %v", err)
	}
	dir := t.TempDir()
	cert, key, _ := certificateFiles(t, dir, time.Now().AddDate(0, 1, 0), "localhost")
	a := authority{roots: cert, http: newCrossing(t), tls: newCrossing(t)}
	at, management := freePort(t), freePort(t)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": at, "managementListenAddress": management, "certificate": cert, "privateKey": key,
		"httpPort": a.http.port(), "tlsPort": a.tls.port(), "retryAfter": map[string]int{"authz": 1, "order": 1}, "keyAlgorithm": "ecdsa",
		"profiles": map[string]any{"default": map[string]any{"description": "", "validityPeriod": lives}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProcess(t, program, "-config", file, "-dnsserver", names(t))
	p.cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0")
	p.start()
	p.wait("ACME directory available at")
	a.directory = "https://" + at + "/dir"
	whole := secure(poolOf(t, cert))
	for began := time.Now(); ; { // it says so before it listens
		r, err := whole.Get(a.directory)
		if err == nil {
			err = r.Body.Close()
		}
		if err == nil {
			return a
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal(err)
		}
	}
}

func poolOf(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only to learn of a port
	return l.Addr().String()
}

// crossing sends each connection to the next of several servers, as whatever
// stands before several servers does.
type crossing struct {
	l     net.Listener
	ready chan struct{} // closed once it is known where to send
	to    []string
	sent  atomic.Int64
}

func newCrossing(t *testing.T) *crossing {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := &crossing{l: l, ready: make(chan struct{})}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.pass(in)
		}
	}()
	return c
}

func (c *crossing) port() int { return c.l.Addr().(*net.TCPAddr).Port }

// lead says where to send; until then whoever comes waits.
func (c *crossing) lead(to ...string) {
	c.to = to
	close(c.ready)
}

func (c *crossing) pass(in net.Conn) {
	defer in.Close() //nolint:errcheck // whoever speaks notices
	<-c.ready
	to := c.to[int(c.sent.Add(1))%len(c.to)]
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close() //nolint:errcheck // as above
	go func() { _, _ = io.Copy(out, in); _ = out.(*net.TCPConn).CloseWrite() }()
	_, _ = io.Copy(in, out)
}

// names is a server of names in which care.test and others of it are this
// machine, and elsewhere.test is an address at which nobody answers.
func names(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close() //nolint:errcheck // whoever asked notices
				for length := make([]byte, 2); ; {
					if _, err := io.ReadFull(c, length); err != nil {
						return
					}
					asked := make([]byte, binary.BigEndian.Uint16(length))
					if _, err := io.ReadFull(c, asked); err != nil {
						return
					}
					m, err := answerName(asked)
					if err != nil {
						return
					}
					if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func answerName(asked []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(asked); err != nil || len(m.Questions) != 1 {
		return nil, fmt.Errorf("no question: %w", err)
	}
	q := m.Questions[0]
	m.Response, m.Additionals, m.Authorities = true, nil, nil
	is := map[bool][4]byte{true: {127, 0, 0, 1}, false: {127, 0, 0, 99}}[!strings.HasPrefix(q.Name.String(), "elsewhere")]
	if q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: is}}}
	}
	return m.Pack()
}

// shown is the certificate that a server shows for a name.
func shown(t *testing.T, at, name string) (*x509.Certificate, error) {
	t.Helper()
	c, err := tls.Dial("tcp", at, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // looked at only
	return c.ConnectionState().PeerCertificates[0], c.ConnectionState().PeerCertificates[0].VerifyHostname(name)
}

// TestDrillACME: two servers over one PostgreSQL get certificates from a real
// authority, whose challenges reach either of them, by TLS and by HTTP; both show
// the same, and its successor; a name that points elsewhere is told in a sentence.
func TestDrillACME(t *testing.T) {
	t.Parallel()
	a := startAuthority(t, 15)
	database, key := storetest.Postgres(t), filepath.Join(t.TempDir(), "entente.key")
	args := []string{"serve", "--database=" + database, "--key=" + key, "--listen=127.0.0.1:0", "--plain-listen=127.0.0.1:0",
		"--acme-directory=" + a.directory, "--acme-roots=" + a.roots, "--url=https://care.test", "--domain=care.test"}
	began := time.Now()
	one := entente(t, append(args, "--domain=elsewhere.test")...)
	oneTLS, oneHTTP := one.after("TLS on "), one.after("led there from http://")
	two := entente(t, args...) // finds the key file
	twoTLS, twoHTTP := two.after("TLS on "), two.after("led there from http://")
	a.tls.lead(oneTLS, twoTLS)
	a.http.lead(oneHTTP, twoHTTP)
	const there = `"there is a certificate","domain":"care.test"`
	one.wait(there)
	two.wait(there)
	took := time.Since(began)
	first, err := shown(t, oneTLS, "care.test")
	if err != nil {
		t.Fatal(err)
	}
	same, err := shown(t, twoTLS, "care.test")
	if err != nil || same.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Errorf("the other server shows another certificate: %v", err)
	}
	if !strings.Contains(first.Issuer.CommonName, "Pebble") {
		t.Errorf("issued by %s", first.Issuer)
	}
	if _, err := shown(t, oneTLS, "elsewhere.test"); err == nil {
		t.Error("there is a certificate for a name that points elsewhere")
	}
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for _, at := range []string{oneTLS, twoTLS} {
		for renewed := false; !renewed; {
			<-look.C
			now, err := shown(t, at, "care.test")
			if err != nil {
				t.Fatal(err)
			}
			if renewed = now.SerialNumber.Cmp(first.SerialNumber) != 0; renewed && !now.NotAfter.After(first.NotAfter) {
				t.Error("the successor ends no later")
			}
			if !renewed && time.Since(first.NotAfter) > 30*time.Second {
				t.Fatalf("%s goes on with a certificate that ended\n%s\n%s", at, one.all(), two.all())
			}
		}
	}
	issued := strings.Count(one.all()+two.all(), `"a certificate was issued","domain":"care.test"`)
	t.Logf("drill | a certificate by ACME for two servers over one PostgreSQL (pebble) | one for both, renewed without a restart | TLS-ALPN-01 | there after %.1f s, renewed; %d issued in two lives", took.Seconds(), issued)
	if _, says, ok := strings.Cut(one.all(), "no certificate for elsewhere.test"); !ok || !strings.Contains(says, "127.0.0.99") || !strings.Contains(says, "Next try in") {
		t.Errorf("of the name that points elsewhere:\n%s", one.all())
	}
}

// TestACMEByHTTP: where the port of TLS is not reached from outside by its own
// number, the challenge comes by plain HTTP.
func TestACMEByHTTP(t *testing.T) {
	t.Parallel()
	a := startAuthority(t, 3600)
	dir := t.TempDir()
	p := entente(t, "serve", "--data="+dir, "--key="+filepath.Join(dir, "entente.key"), "--listen=127.0.0.1:0", "--plain-listen=127.0.0.1:0",
		"--acme-directory="+a.directory, "--acme-roots="+a.roots, "--domain=care.test")
	at, plain := p.after("TLS on "), p.after("led there from http://")
	a.tls.lead("127.0.0.1:9") // nobody
	a.http.lead(plain)
	p.wait("there is a certificate")
	if c, err := shown(t, at, "care.test"); err != nil {
		t.Errorf("%v %v", c, err)
	}
	if a.http.sent.Load() == 0 {
		t.Error("nobody asked by plain HTTP")
	}
}
