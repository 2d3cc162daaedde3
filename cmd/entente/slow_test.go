// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// busy is the real program, as a process with TLS, that serves the invented
// practice to its therapist while others misbehave.
type busy struct {
	p       *process
	base    string
	roots   *x509.CertPool
	token   string
	session string
	http    *http.Client
}

func startBusy(t *testing.T) busy {
	t.Helper()
	l := live(t, "")
	rows, err := l.app.Caseload(t.Context(), l.neri)
	if err != nil {
		t.Fatal(err)
	}
	v, err := l.app.ClientPage(t.Context(), l.neri, rows[0].Client.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.store.Close(); err != nil {
		t.Fatal(err)
	}
	cert, key, roots := certificateFiles(t, t.TempDir(), time.Now().AddDate(0, 1, 0), "localhost")
	p := entente(t, "serve", "--data="+l.dir, "--key="+l.key, "--listen=127.0.0.1:0", "--plain-listen=off", "--cert="+cert, "--cert-key="+key)
	b := busy{p: p, base: p.after(" serves "), roots: roots, token: l.links.therapist, session: string(v.Sessions[0].Session.ID)}
	b.http = &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute,
	}
	return b
}

// ask is one request of the therapist: a page or a note.
func (b busy) ask(ctx context.Context, write bool) error {
	method, path, body := "GET", "/today", ""
	if write {
		method, path, body = "POST", "/sessions/"+b.session+"/note", "note=in+the+meantime"
	}
	r, err := http.NewRequestWithContext(ctx, method, b.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "__Host-entente", Value: b.token})
	answer, err := b.http.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	if want := map[bool]int{false: http.StatusOK, true: http.StatusSeeOther}[write]; answer.StatusCode != want {
		return fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return nil
}

// pace asks at a steady rate, every other time with a write, and gives how long
// each took from when it was due.
func (b busy) pace(ctx context.Context, t *testing.T, perSecond int) []time.Duration {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var waits []time.Duration
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		select {
		case <-ctx.Done():
		case due := <-tick.C:
			all.Go(func() {
				if err := b.ask(context.WithoutCancel(ctx), n%2 == 1); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				waits = append(waits, time.Since(due))
			})
		}
	}
	all.Wait()
	return waits
}

// memory reads a line of /proc/PID/status, in MB.
func (b busy) memory(t *testing.T, line string) float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(b.p.cmd.Process.Pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatalf("no %s in the status of the process", line)
	return 0
}

// crowd is connections that keep the server waiting.
type crowd struct {
	b       busy
	door    chan struct{}
	open    atomic.Int64
	unheard atomic.Int64    // handshakes that came to nothing
	longest [2]atomic.Int64 // how long a slow one was borne, header and body, in milliseconds
	refused atomic.Int64    // bodies of 10 MB that were refused
	taken   atomic.Int64    // and those that were not
}

// dial opens a line, a few of the crowd at once: what is tried is the lines, not
// how many handshakes this machine can do. Only the end of ctx is an error.
func (c *crowd) dial(ctx context.Context) (*tls.Conn, error) {
	d := tls.Dialer{Config: &tls.Config{RootCAs: c.b.roots}}
	for {
		select {
		case c.door <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		conn, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(c.b.base, "https://"))
		<-c.door
		if err == nil {
			return conn.(*tls.Conn), nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.unheard.Add(1)
	}
}

// idle asks for one page and then keeps the line, asking again when it is closed.
func (c *crowd) idle(ctx context.Context) error {
	for ctx.Err() == nil {
		conn, err := c.dial(ctx)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "GET /signin HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if err == nil {
			c.open.Add(1)
			_, _ = io.Copy(io.Discard, conn) // until the server hangs up
			c.open.Add(-1)
		}
		stop()
		_ = conn.Close()
	}
	return nil
}

// drip sends a beginning and then a byte each second, until the server hangs up;
// and again.
func (c *crowd) drip(ctx context.Context, kind int) error {
	start := [2]string{
		"GET /signin HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
		"POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15000\r\n\r\nemail=" + strings.Repeat("a", 12_000),
	}[kind]
	for ctx.Err() == nil {
		conn, err := c.dial(ctx)
		if err != nil {
			return err
		}
		began := time.Now()
		over := make(chan struct{})
		go func() {
			defer close(over)
			_, _ = io.Copy(io.Discard, conn)
		}()
		_, err = io.WriteString(conn, start)
		c.open.Add(1)
		tick := time.NewTicker(time.Second)
		for err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-over:
				err = net.ErrClosed
			case <-tick.C:
				_, err = io.WriteString(conn, "a")
			}
		}
		tick.Stop()
		c.open.Add(-1)
		_ = conn.Close()
		<-over
		if borne := time.Since(began).Milliseconds(); borne > c.longest[kind].Load() {
			c.longest[kind].Store(borne)
		}
	}
	return nil
}

// flood sends a form of 10 MB each second.
func (c *crowd) flood(ctx context.Context) error {
	body := append([]byte("email="), bytes.Repeat([]byte("a"), 10<<20)...)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		conn, err := c.dial(ctx)
		if err != nil {
			return nil // the end
		}
		go func() { // the server answers before it has all, and hangs up
			_, _ = fmt.Fprintf(conn, "POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", len(body))
			_, _ = conn.Write(body)
		}()
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && r.StatusCode < 400 {
			c.taken.Add(1)
		} else {
			c.refused.Add(1)
		}
		_ = conn.Close()
	}
}

// TestDrillSlowClients: thousands who keep lines open, send by the byte or send
// far too much keep nobody else waiting, and cost little memory.
func TestDrillSlowClients(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Parallel()
	}
	b := startBusy(t)
	idle, slow := long(100, 2_000), long(20, 500)
	perSecond := long(5, 10)
	measure := func(lasts time.Duration) []time.Duration {
		ctx, stop := context.WithTimeout(t.Context(), lasts)
		defer stop()
		return b.pace(ctx, t, perSecond)
	}
	measure(time.Second)
	alone := p99(measure(long(2*time.Second, 40*time.Second)))
	c := &crowd{b: b, door: make(chan struct{}, 16)}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	send := func(n int, do func() error) {
		for range n {
			all.Go(func() {
				if err := do(); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			})
		}
	}
	send(idle, func() error { return c.idle(ctx) })
	send(slow, func() error { return c.drip(ctx, 0) })
	send(slow, func() error { return c.drip(ctx, 1) })
	send(long(1, 4), func() error { return c.flood(ctx) })
	for ready := time.NewTicker(50 * time.Millisecond); c.open.Load() < int64(idle+2*slow)*9/10; <-ready.C {
	}
	crowded := p99(measure(long(12*time.Second, 40*time.Second))) // longer than any line should be borne
	open := c.open.Load()
	stop()
	all.Wait()
	peak := b.memory(t, "VmHWM")
	t.Logf("drill | %d idle lines, %d headers and %d bodies sent by the byte, forms of 10 MB | others hardly notice | p99 at most twice, 256 MB | p99 %s, before %s (%.1f times) with %d lines open; at most %.0f MB; a header was borne for %.0f s, a body for %.0f s; %d forms of 10 MB refused; %d handshakes failed",
		idle, slow, slow, ms(crowded), ms(alone), float64(crowded)/float64(alone), open, peak, seconds(c.longest[0].Load()), seconds(c.longest[1].Load()), c.refused.Load(), c.unheard.Load())
	if peak > 256 && !raced {
		t.Errorf("%.0f MB", peak)
	}
	if c.taken.Load() > 0 || c.refused.Load() == 0 {
		t.Errorf("forms of 10 MB: %d taken, %d refused", c.taken.Load(), c.refused.Load())
	}
	if borne := c.longest[0].Load(); borne > 15_000 || borne == 0 {
		t.Errorf("a header by the byte was borne for %d ms", borne)
	}
}

func seconds(ms int64) float64 { return float64(ms) / 1000 }
