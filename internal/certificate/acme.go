// SPDX-License-Identifier: AGPL-3.0-or-later

package certificate

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/net/idna"

	"github.com/entente-project/entente/internal/care"
)

// Order says for which names a certificate is to be got, and where.
type Order struct {
	Domains   []string       // at least one
	Directory string         // the authority's address; "" is Let's Encrypt
	Roots     *x509.CertPool // whom to trust as the authority's server; nil: as the machine does
	Email     string         // told to the authority; "" for none
	Keeper    Keeper
	Log       *slog.Logger
}

// Automatic gets a certificate for each domain by ACME and renews it in the last
// third of its life (at most 30 days before its end). What the servers of one
// database get, they share.
type Automatic struct {
	order   Order
	domains []string // as they are written in a certificate
	id      string   // of this server, for leases
	manager *autocert.Manager
	one     sync.Mutex
	heard   *hearing                // what the authority says while one is held
	ready   map[string]*atomic.Bool // by domain: there is a certificate in memory
	firstly []time.Duration         // waits after failed tries; the last one repeats
	glance  time.Duration           // between looks at what another server is getting
}

// New checks the names and prepares everything; [Automatic.Obtain] does it.
func New(o Order) (*Automatic, error) {
	if o.Directory == "" {
		o.Directory = autocert.DefaultACMEDirectory
	}
	a := &Automatic{
		order: o, id: rand.Text(), ready: map[string]*atomic.Bool{},
		// An authority bears five failures of a name in an hour.
		firstly: []time.Duration{2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour},
		glance:  2 * time.Second,
	}
	for _, d := range o.Domains {
		name, err := idna.Lookup.ToASCII(strings.TrimSuffix(d, "."))
		if err != nil || net.ParseIP(name) != nil || !strings.Contains(name, ".") {
			return nil, fmt.Errorf("--domain: %q is no name that a certificate can be got for; give one like care.example.org", d)
		}
		a.domains = append(a.domains, name)
		a.ready[name] = &atomic.Bool{}
	}
	through := http.DefaultTransport.(*http.Transport).Clone()
	if o.Roots != nil {
		through.TLSClientConfig = &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	}
	a.heard = &hearing{next: through}
	a.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: shelf{o}, HostPolicy: autocert.HostWhitelist(a.domains...), Email: o.Email,
		Client: &acme.Client{DirectoryURL: o.Directory, HTTPClient: &http.Client{Transport: a.heard, Timeout: time.Minute}, UserAgent: "entente"},
	}
	return a, nil
}

// TLS gives the settings of a server, which also answers the authority's
// challenges on the same port.
func (a *Automatic) TLS() *tls.Config { return config(a.certificate, acme.ALPNProto) }

// HTTP answers the authority's challenges on port 80 and leaves all else to next.
func (a *Automatic) HTTP(next http.Handler) http.Handler {
	answer := a.manager.HTTPHandler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			r = r.Clone(r.Context())
			r.Host = host // the name alone is compared with ours
		}
		answer.ServeHTTP(w, r)
	})
}

// certificate never lets a stranger's call order anything: what is not there yet
// is refused.
func (a *Automatic) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return a.manager.GetCertificate(hello)
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(hello.ServerName, "."))
	if err != nil || a.ready[name] == nil {
		return nil, errors.New("certificate: asked for a name that is not ours")
	}
	if !a.ready[name].Load() {
		return nil, errors.New("certificate: there is none yet")
	}
	return a.of(name)
}

// of gives the certificate of a name from memory, from what is kept, or from the
// authority, in this order. Every caller looks to it as one that knows elliptic
// curves: certificates for those that do not would be ordered at their wish.
func (a *Automatic) of(name string) (*tls.Certificate, error) {
	return a.manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedCurves: []tls.CurveID{tls.CurveP256},
	})
}

// Leaf is the certificate of the first domain; nil while there is none.
func (a *Automatic) Leaf() *x509.Certificate {
	if !a.ready[a.domains[0]].Load() {
		return nil
	}
	c, err := a.of(a.domains[0])
	if err != nil {
		return nil
	}
	return c.Leaf
}

// Obtain gets what is missing, of several servers one for all, and returns when
// there is a certificate for each domain, or when ctx ends. A failure is logged
// as a sentence and tried again later. Renewal goes on by itself afterwards.
func (a *Automatic) Obtain(ctx context.Context) {
	var all sync.WaitGroup
	for _, d := range a.domains {
		all.Go(func() { a.obtain(ctx, d) })
	}
	all.Wait()
}

func (a *Automatic) obtain(ctx context.Context, domain string) {
	for failures := 0; ctx.Err() == nil; {
		done, mine, err := a.try(ctx, domain)
		if done {
			a.ready[domain].Store(true)
			a.order.Log.Info("there is a certificate", "domain", domain)
			return
		}
		wait := a.glance
		if mine || err != nil {
			wait = a.firstly[min(failures, len(a.firstly)-1)]
			failures++
			a.order.Log.Error(a.explain(ctx, domain, err, wait))
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// try is done when there is a certificate in memory; mine says that this server
// asked the authority.
func (a *Automatic) try(ctx context.Context, domain string) (done, mine bool, err error) {
	if _, err := (shelf{a.order}).Get(ctx, domain); errors.Is(err, autocert.ErrCacheMiss) {
		now := time.Now()
		until := func(t time.Time) (bool, error) {
			return a.order.Keeper.Lease(ctx, "certificate "+domain, a.id, now.UnixMilli(), t.UnixMilli())
		}
		if mine, err = until(now.Add(6 * time.Minute)); err != nil || !mine {
			return false, false, err
		}
		defer func() {
			if _, err := until(now); err != nil {
				a.order.Log.Error("the lease of a certificate could not be given back", "err", err)
			}
		}()
	} else if err != nil {
		return false, false, err
	}
	// One at a time, so that each failure is told with its own reason.
	a.one.Lock()
	defer a.one.Unlock()
	a.heard.forget()
	// One that is kept but has ended is ordered here too: of two servers that
	// start then, both may.
	_, err = a.of(domain)
	if why := a.heard.said(); err != nil && why != "" {
		err = errors.New(why)
	}
	return err == nil, mine, err
}

// explain is a failure in a sentence for the operator.
func (a *Automatic) explain(ctx context.Context, domain string, err error, wait time.Duration) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	where := "no address is known for this name"
	if at, err := net.DefaultResolver.LookupHost(ctx, domain); err == nil {
		where = "the name has the address " + strings.Join(at, ", ")
	}
	return fmt.Sprintf("no certificate for %s: %v. Seen from here %s: is that this server, and do its ports 443 and 80 reach it from everywhere? Next try in %s", domain, err, where, wait)
}

// shelf is autocert's cache in the keeper, apart for each authority, so that a
// trial's certificates never stand in for real ones.
type shelf struct{ Order }

func (s shelf) name(key string) string { return "acme " + s.Directory + " " + key }

func (s shelf) Get(ctx context.Context, key string) ([]byte, error) {
	data, err := s.Keeper.Secret(ctx, s.name(key))
	if care.CodeOf(err) == care.NotFound {
		return nil, autocert.ErrCacheMiss
	}
	return data, err
}

// Put logs its failure, because autocert does not.
func (s shelf) Put(ctx context.Context, key string, data []byte) error {
	err := s.Keeper.PutSecret(ctx, s.name(key), data)
	switch {
	case err != nil:
		s.Log.Error("what the certificate's authority gave could not be kept", "err", err)
	case !strings.Contains(key, "+"): // neither a challenge nor the account
		s.Log.Info("a certificate was issued", "domain", key)
	}
	return err
}

func (s shelf) Delete(ctx context.Context, key string) error {
	return s.Keeper.DropSecret(ctx, s.name(key))
}
