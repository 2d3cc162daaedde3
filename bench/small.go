// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"time"
)

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// starts measures the time from starting the program in an empty folder to its
// first answer: key file, database and all migrations included.
func (b *bench) starts(ctx context.Context) error {
	for n := range b.pairs {
		d := practiceData{program: b.ours.program, folder: filepath.Join(b.dir, fmt.Sprintf("start-%d", n))}
		if err := os.MkdirAll(d.folder, 0o700); err != nil {
			return err
		}
		if err := b.startOnce(ctx, d, "start empty"); err != nil {
			return err
		}
	}
	return nil
}

// startOnce asks from the first moment on, so that nothing but the program is
// waited for.
func (b *bench) startOnce(ctx context.Context, d practiceData, name string) (err error) {
	listen, err := freePort(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	p, err := start(ctx, nil, d.program, "serve", "--listen", listen, "--data", filepath.Join(d.folder, "data"), "--key", d.key())
	if err != nil {
		return err
	}
	defer func() { err = join(err, p.stop) }()
	if err := newBrowser("http://"+listen, 1).ready(ctx, "/health"); err != nil {
		return errors.Join(err, fmt.Errorf("it said:\n%s", p.said))
	}
	b.out.add(name, ms(time.Since(began)))
	return nil
}

// idle starts the program again on the practice that was measured, has the
// manager signed in as on any morning, and looks at its memory when the garbage
// of that is gone.
func (b *bench) idle(ctx context.Context) (err error) {
	d := practiceData{program: b.ours.program, folder: filepath.Join(b.dir, "idle")}
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return err
	}
	e, setUp, err := d.serve(ctx, 2)
	if err != nil {
		return err
	}
	if err := join(e.found(ctx, setUp), e.proc.stop); err != nil {
		return err
	}
	if e, _, err = d.serve(ctx, 2); err != nil {
		return err
	}
	defer func() { err = join(err, e.proc.stop) }()
	if err := b.remember(e.proc, "memory idle"); err != nil {
		return err
	}
	if err := e.signIn(ctx); err != nil {
		return err
	}
	if _, err := e.page(ctx, "/today", e.staff); err != nil {
		return err
	}
	if err := b.remember(e.proc, "memory signed in"); err != nil {
		return err
	}
	return b.formBytes(ctx, e)
}

var loaded = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)

// formBytes loads a client's form as a browser does that never was here: all
// bytes that come in are counted, headers and all.
func (b *bench) formBytes(ctx context.Context, e *entente) error {
	_, visits, err := e.invitations(ctx, 1, 1)
	if err != nil {
		return err
	}
	v, err := e.open(ctx, visits[0])
	if err != nil {
		return err
	}
	fresh := newWire(e.base)
	if err := fresh.load(ctx, "/form", v.cookie); err != nil {
		return err
	}
	b.out.add("form kB", float64(fresh.bytes.Load())/1e3)
	b.out.add("form requests", float64(fresh.requests))

	way := newWire(e.base)
	if err := way.load(ctx, "/f", ""); err != nil {
		return err
	}
	if _, err := way.ask(ctx, http.StatusSeeOther, request{method: "POST", path: "/f", kind: asForm, body: "token=" + visits[0].token}); err != nil {
		return err
	}
	way.requests++
	again, err := e.open(ctx, visits[0])
	if err != nil {
		return err
	}
	if err := way.load(ctx, "/form", again.cookie); err != nil {
		return err
	}
	b.out.add("from the link kB", float64(way.bytes.Load())/1e3)
	b.out.add("from the link requests", float64(way.requests))
	return nil
}

// wire is a browser with a cache that counts what comes in.
type wire struct {
	browser
	bytes    *atomic.Int64
	requests int
	cached   map[string]bool
}

func newWire(base string) *wire {
	w := &wire{browser: newBrowser(base, 2), bytes: &atomic.Int64{}, cached: map[string]bool{}}
	w.http.Transport = &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return counted{c, w.bytes}, err
	}}
	return w
}

// load reads a page and what it names and is not in the cache.
func (w *wire) load(ctx context.Context, path, cookie string) error {
	a, err := w.ask(ctx, http.StatusOK, request{method: "GET", path: path, cookie: cookie})
	if err != nil {
		return err
	}
	w.requests++
	for _, m := range loaded.FindAllStringSubmatch(a.body, -1) {
		if w.cached[m[1]] {
			continue
		}
		if _, err := w.ask(ctx, http.StatusOK, request{method: "GET", path: m[1]}); err != nil {
			return err
		}
		w.cached[m[1]] = true
		w.requests++
	}
	return nil
}

type counted struct {
	net.Conn
	read *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// sizes looks at the two programs.
func (b *bench) sizes() error {
	for name, file := range map[string]string{"binary MB": b.ours.program, "PocketBase binary MB": b.theirs} {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		b.out.add(name, float64(info.Size())/1e6)
	}
	return nil
}
