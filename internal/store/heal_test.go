// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// wire is the way to PostgreSQL, which breaks when a transaction is committed.
type wire struct {
	dsn   string
	state atomic.Int32
	cut   atomic.Int32 // connections broken so far
}

const (
	intact     int32 = iota
	unsent           // the word to commit does not arrive
	unanswered       // it arrives, and no answer comes back
)

// wired puts a wire between a store and its database.
func (b *bench) wired() *wire {
	b.t.Helper()
	at, err := url.Parse(b.url)
	must(b.t, err)
	l, err := (&net.ListenConfig{}).Listen(b.ctx, "tcp", "127.0.0.1:0")
	must(b.t, err)
	b.t.Cleanup(func() { must(b.t, l.Close()) })
	w := &wire{}
	socket := at.Query().Get("host") + "/.s.PGSQL." + at.Query().Get("port")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(b.t, c, socket)
		}
	}()
	at.Host = l.Addr().String()
	at.RawQuery = "sslmode=disable"
	w.dsn = at.String()
	return w
}

func (w *wire) carry(t *testing.T, c net.Conn, socket string) {
	s, err := (&net.Dialer{}).DialContext(t.Context(), "unix", socket)
	if err != nil {
		_ = c.Close() // the store sees a broken connection
		return
	}
	end := func() { _ = c.Close(); _ = s.Close() }
	defer end()
	var mute atomic.Bool
	go func() {
		defer end()
		buf := make([]byte, 64<<10)
		for {
			n, err := s.Read(buf)
			if n > 0 && mute.Load() { // the answer to the commit: it is kept by now
				w.cut.Add(1)
				return
			}
			if _, werr := c.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if n > 0 && bytes.Contains(buf[:n], []byte("commit")) {
			switch w.state.Swap(intact) { // once
			case unsent:
				w.cut.Add(1)
				return
			case unanswered:
				mute.Store(true)
			}
		}
		if _, werr := s.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// TestLostCommit breaks the connection at the commit, before and after it arrives:
// the write is there once, and its caller is told so.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	b := newBench(t, "postgres")
	b.settle()
	w := b.wired()
	must(t, b.s.Close())
	b.url = w.dsn
	b.s = b.open()
	for i, state := range []int32{unsent, unanswered, unsent, unanswered} {
		w.state.Store(state)
		runs := 0
		b.write(func(tx *Tx) error {
			runs++
			c := anna
			c.ID, c.Reference = care.ID(fmt.Sprintf("0190-new-%d-%d", i, runs)), fmt.Sprintf("ref-%d-%d", i, runs) // as new ids would be
			if err := tx.AddClient(c); err != nil {
				return err
			}
			return tx.Audit(care.AuditEntry{ID: c.ID, Practice: here.ID, Record: c.ID})
		})
		same(t, "connections broken", w.cut.Load(), int32(i+1))
		same(t, "runs", runs, map[int32]int{unsent: 2, unanswered: 1}[state])
		same(t, "rows", b.count("SELECT COUNT(*) FROM client WHERE client_id LIKE '0190-new%'"), i+1)
		same(t, "lines", b.count("SELECT COUNT(*) FROM audit WHERE audit_id LIKE '0190-new%'"), i+1)
	}
	// What leaves no line in an audit cannot be found again: it is no success.
	w.state.Store(unanswered)
	err := b.s.Write(b.ctx, func(tx *Tx) error {
		_, err := tx.Hit("x", 1, 0)
		return err
	})
	same(t, "without a line", care.CodeOf(err), care.Unavailable)
	same(t, "the next", b.s.Health(b.ctx), nil)
	same(t, "the audit", read(b, func(tx *Tx) (int64, error) { return tx.VerifyAudit(here.ID, nil) }), int64(4))
}

// TestHealthWaits: a database that keeps every writer waiting is not well, and is
// again once it lets them go on.
func TestHealthWaits(t *testing.T) {
	t.Parallel()
	pg := storetest.NewServer(t)
	s, err := Open(t.Context(), pg.DSN(), vault.Generate())
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	must(t, s.Health(t.Context()))
	for _, change := range []string{"SET synchronous_standby_names = 'away'", "SET synchronous_commit = 'remote_apply'"} {
		pg.Exec("ALTER SYSTEM " + change)
	}
	pg.Exec("SELECT pg_reload_conf()")
	end := time.Now().Add(30 * time.Second)
	for care.CodeOf(s.Health(t.Context())) != care.Unavailable {
		if time.Now().After(end) {
			t.Fatal("a write is still acknowledged, or Health says so")
		}
	}
	at := time.Now()
	same(t, "the next", care.CodeOf(s.Health(t.Context())), care.Unavailable)
	if took := time.Since(at); took > patience+3*time.Second {
		t.Errorf("Health takes %v to say that nothing goes", took)
	}
	pg.Exec("ALTER SYSTEM RESET synchronous_standby_names")
	pg.Exec("SELECT pg_reload_conf()")
	for s.Health(t.Context()) != nil {
		if time.Now().After(end) {
			t.Fatal("it is never well again")
		}
	}
}
