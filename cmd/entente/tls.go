// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/entente-project/entente/internal/certificate"
)

// tlsFlags say how people reach the server without anybody between reading along.
type tlsFlags struct {
	Listen        string   `help:"Address to listen on: 127.0.0.1:8484 unless told otherwise, and :443 with --domain, --cert or --lan."`
	Domain        []string `help:"Name by which people reach this server, such as care.example.org: its certificate is got from Let's Encrypt, whose terms this accepts, and renewed."`
	Cert          string   `help:"File with a certificate and its chain (PEM) instead; read again when it changes." type:"path"`
	CertKey       string   `help:"File with the key of that certificate (PEM)." type:"path"`
	Lan           []string `help:"Address or name of this machine in the practice's own network, such as 192.168.1.20: the server vouches for itself, and each device has to be told once to believe it."`
	PlainListen   string   `help:"Address at which plain HTTP is led to HTTPS; off for none." default:":80"`
	AcmeDirectory string   `help:"Another authority that speaks ACME, by the address of its directory." placeholder:"URL"`
	AcmeRoots     string   `help:"File with the certificate (PEM) by which that authority's server is known, if it is not a public one." type:"path"`
	AcmeEmail     string   `help:"Address that the authority may write to."`
	URL           string   `help:"Address by which people reach this server, such as https://care.example.org; links are made from it."`
}

// front is the way in: what to listen on, and what to show there.
type front struct {
	base   string
	listen net.Listener
	tls    *tls.Config // nil: plain, on this machine only

	plain  net.Listener // nil: none
	way    http.Handler // what plain answers
	beside http.Handler // what the other port answers at authorityPath; nil: nothing
	say    string       // for the operator, at the start
	obtain func(context.Context)
	leaf   func() *x509.Certificate // nil: nobody needs to look when it ends
}

// front opens the ports, or says in one sentence why not.
func (c *tlsFlags) front(ctx context.Context, k certificate.Keeper, log *slog.Logger) (f *front, err error) {
	ways := 0
	for _, given := range []bool{len(c.Domain) > 0, c.Cert != "" || c.CertKey != "", len(c.Lan) > 0} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return nil, errors.New("--domain, --cert and --lan are three ways to one thing; give one of them")
	}
	f = &front{base: strings.TrimRight(c.URL, "/")}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if ways == 0 {
		return f, c.openPlain(ctx, f)
	}
	if f.base != "" && !strings.HasPrefix(f.base, "https://") {
		return f, fmt.Errorf("--url: %s has to begin with https:// where this server speaks TLS itself", f.base)
	}
	if f.listen, err = listen(ctx, "--listen", or(c.Listen, ":443")); err != nil {
		return f, err
	}
	if c.PlainListen != "off" {
		if f.plain, err = listen(ctx, "--plain-listen", c.PlainListen); err != nil {
			return f, err
		}
	}
	defer func() {
		if err == nil {
			f.say += "\nTLS on " + f.listen.Addr().String()
		}
		if err == nil && f.plain != nil {
			f.say += "\nplain HTTP is led there from http://" + f.plain.Addr().String()
		}
	}()
	switch {
	case len(c.Domain) > 0:
		return f, c.byACME(f, k, log)
	case len(c.Lan) > 0:
		return f, c.byOwn(ctx, f, k)
	}
	return f, c.byFiles(f, log)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// openPlain listens without TLS where nobody can be between: on this machine.
func (c *tlsFlags) openPlain(ctx context.Context, f *front) (err error) {
	at := or(c.Listen, "127.0.0.1:8484")
	if f.listen, err = listen(ctx, "--listen", at); err != nil {
		return err
	}
	if !here(f.listen) {
		return fmt.Errorf("--listen %s would send what people write through the network for everybody there to read: give --domain, --cert or --lan as well, or listen on 127.0.0.1 and put a proxy with TLS on this machine", at)
	}
	f.base = or(f.base, "http://"+f.listen.Addr().String())
	return nil
}

// here tells that a port can be reached from this machine only.
func here(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// listen opens a port, or says what to do.
func listen(ctx context.Context, flag, at string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: another program listens on %s already; stop it, or give another address", flag, at)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: this program may not listen on %s; give it the right to (setcap cap_net_bind_service=+ep, or AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit), or a port from 1024 on", flag, at)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s: %s is no address of this machine", flag, at)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return l, nil
}

// named is the address for a name at the port listened on.
func (f *front) named(name string) string { return address("https", "443", name, f.listen) }

func address(scheme, usual, name string, l net.Listener) string {
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err == nil && port != usual {
		return scheme + "://" + net.JoinHostPort(name, port)
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	return scheme + "://" + name
}

func (c *tlsFlags) byACME(f *front, k certificate.Keeper, log *slog.Logger) error {
	o := certificate.Order{Domains: c.Domain, Directory: c.AcmeDirectory, Email: c.AcmeEmail, Keeper: k, Log: log}
	if c.AcmeRoots != "" {
		text, err := os.ReadFile(c.AcmeRoots)
		o.Roots = x509.NewCertPool()
		if err != nil || !o.Roots.AppendCertsFromPEM(text) {
			return fmt.Errorf("--acme-roots: %s holds no certificate that can be read", c.AcmeRoots)
		}
	}
	a, err := certificate.New(o)
	if err != nil {
		return err
	}
	f.base = or(f.base, f.named(c.Domain[0]))
	f.tls, f.way, f.obtain, f.leaf = a.TLS(), a.HTTP(toHTTPS(f.base)), a.Obtain, a.Leaf
	f.say = fmt.Sprintf("certificate: for %s, from %s, whose terms this accepts; it is renewed by itself.", strings.Join(c.Domain, ", "), or(c.AcmeDirectory, "Let's Encrypt"))
	return nil
}

func (c *tlsFlags) byFiles(f *front, log *slog.Logger) error {
	if c.Cert == "" || c.CertKey == "" {
		return errors.New("--cert and --cert-key belong together: the file with the certificate and the file with its key")
	}
	files, err := certificate.FromFiles(c.Cert, c.CertKey, time.Now, log)
	if err != nil {
		return err
	}
	leaf := files.Leaf()
	if f.base == "" {
		if len(leaf.DNSNames) == 0 || strings.HasPrefix(leaf.DNSNames[0], "*") {
			return fmt.Errorf("--url is needed: the certificate in %s does not say by which name people reach this server", c.Cert)
		}
		f.base = f.named(leaf.DNSNames[0])
	}
	u, err := url.Parse(f.base)
	if err != nil || u.Hostname() == "" {
		return fmt.Errorf("--url: %s is no address", f.base)
	}
	if leaf.VerifyHostname(u.Hostname()) != nil {
		return fmt.Errorf("the certificate in %s is for %s, and people reach this server by %s: browsers would refuse it", c.Cert, strings.Join(leaf.DNSNames, ", "), u.Hostname())
	}
	f.tls, f.way, f.leaf = files.TLS(), toHTTPS(f.base), files.Leaf
	f.say = fmt.Sprintf("certificate: from %s, until %s; the file is read again when it changes.", c.Cert, leaf.NotAfter.UTC().Format(time.DateOnly))
	return nil
}

// authorityPath is where devices of the practice's network find what to install.
const authorityPath = "/entente-ca.crt"

func (c *tlsFlags) byOwn(ctx context.Context, f *front, k certificate.Keeper) error {
	for _, n := range c.Lan {
		if ip := net.ParseIP(n); ip == nil && (strings.ContainsAny(n, "/:*@ ") || n == "") {
			return fmt.Errorf("--lan: %q is neither an address like 192.168.1.20 nor a name like entente.home.arpa", n)
		} else if ip != nil && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			return fmt.Errorf("--lan: %s is not an address of a network of your own; for the internet give --domain", n)
		}
	}
	own, made, err := certificate.OpenOwn(ctx, k, c.Lan, time.Now)
	if err != nil {
		return fmt.Errorf("--lan: %w", err)
	}
	f.base = or(f.base, f.named(c.Lan[0]))
	f.tls = own.TLS()
	f.beside = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-x509-ca-cert")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(own.Authority()) // a device that went away asks again
	})
	f.way = f.with(toHTTPS(f.base))
	from := f.base
	if f.plain != nil {
		from = address("http", "80", c.Lan[0], f.plain)
	}
	again := ""
	if made {
		again = " It is new: no device knows it yet."
	}
	f.say = fmt.Sprintf("own network: nobody but this server vouches for it, so open %s%s once on each device, install the certificate as a trusted authority only if its SHA-256 fingerprint is the one below, and never let a device go past a browser's warning.%s\nfingerprint: %s",
		from, authorityPath, again, own.Fingerprint())
	return nil
}

// with answers authorityPath beside what h answers.
func (f *front) with(h http.Handler) http.Handler {
	if f.beside == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == authorityPath && r.Method == http.MethodGet {
			f.beside.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// toHTTPS leads to the same page by TLS. What was posted has been read on the
// way already; sending it on would hide that.
func toHTTPS(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "This address speaks HTTPS only: "+base, http.StatusForbidden)
			return
		}
		page := r.URL.RequestURI()
		if !strings.HasPrefix(page, "/") {
			page = "/" // else what was asked for could become part of the name
		}
		http.Redirect(w, r, base+page, http.StatusMovedPermanently) //nolint:gosec // base is ours, and what follows is a path
	})
}

// serve answers until ctx ends, on both ports.
func (f *front) serve(ctx context.Context, h http.Handler, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if f.obtain != nil {
		go f.obtain(ctx)
	}
	if f.leaf != nil {
		go watchEnd(ctx, f.leaf, log)
	}
	l, h := f.listen, f.with(h)
	if f.tls != nil {
		l = tls.NewListener(l, f.tls)
	}
	if f.plain == nil {
		return listenAndServe(ctx, l, h, log)
	}
	plain := make(chan error, 1)
	go func() {
		defer stop()
		plain <- listenAndServe(ctx, f.plain, f.way, log)
	}()
	err := listenAndServe(ctx, l, h, log)
	stop()
	return errors.Join(err, <-plain)
}

// watchEnd says each day that the certificate should have been renewed.
func watchEnd(ctx context.Context, leaf func() *x509.Certificate, log *slog.Logger) {
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	for {
		if c := leaf(); c != nil {
			if text := certificate.Ending(c, time.Now()); text != "" {
				log.Error(text)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-day.C:
		}
	}
}

// close gives the ports back of a server that does not start.
func (f *front) close() error {
	var err error
	for _, l := range slices.DeleteFunc([]net.Listener{f.listen, f.plain}, func(l net.Listener) bool { return l == nil }) {
		err = errors.Join(err, l.Close())
	}
	return err
}
