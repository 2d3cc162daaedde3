// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// post sends a form and wants to be led on.
func (b busy) post(t *testing.T, path string, form url.Values) error {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
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
	if answer.StatusCode != http.StatusSeeOther {
		err = errors.Join(err, fmt.Errorf("POST %s: %s", path, answer.Status))
	}
	return errors.Join(err, answer.Body.Close())
}

// exchange adds, promotes and removes a key by the commands of an operator, with
// a hang-up to the server after each; it returns the new key.
func (b busy) exchange(t *testing.T, data, file, old string) string {
	t.Helper()
	key := func(args ...string) (string, bool) {
		out, ok := command(t, append([]string{"key"}, args...)...)
		return strings.TrimSpace(out), ok
	}
	hangUp := func() {
		if err := b.p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		b.p.wait("the key file was read again")
	}
	next, ok := key("add", "--key", file)
	if !ok {
		t.Fatal(next)
	}
	hangUp()
	if out, ok := key("promote", "--key", file, next); !ok {
		t.Fatal(out)
	}
	for tries := 1; ; tries++ { // what was being written at the hang-up may be under the former key: the next one finds it
		hangUp()
		out, ok := key("remove", "--key", file, "--data", data, old)
		if ok {
			break
		}
		if !strings.Contains(out, "are still under") || tries == 5 {
			t.Fatal(out)
		}
	}
	hangUp()
	return next
}

// TestDrillRotation exchanges the key of a running server three times in a storm
// of notes and new clients: none is refused, and all that was acknowledged is
// read by a program that has only the last key.
func TestDrillRotation(t *testing.T) {
	t.Parallel()
	b := startBusy(t)
	data, file := b.place(t)
	key := must[*vault.Vault](t)(vault.Open(file)).Fingerprint()
	var notes, clients, failed atomic.Int64
	stop := make(chan struct{})
	var storm sync.WaitGroup
	for w := range 4 {
		storm.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				var err error
				if n%4 == 0 {
					err = b.post(t, "/clients/new", url.Values{"label": {fmt.Sprintf("storm %d %d", w, n)}, "age_band": {"adult"}, "language": {"en"}})
					clients.Add(1)
				} else {
					err = b.post(t, "/sessions/"+b.session+"/note", url.Values{"note": {fmt.Sprintf("storm %d %d", w, n)}})
					notes.Add(1)
				}
				if err != nil {
					failed.Add(1)
					t.Error(err)
					return
				}
			}
		})
	}
	for range 3 {
		key = b.exchange(t, data, file, key)
	}
	close(stop)
	storm.Wait()
	if err := b.p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	b.p.finish()
	v := must[*vault.Vault](t)(vault.Open(file))
	v.UseShares(must[*vault.Shares](t)(vault.OpenShares(filepath.Join(data, "entente.shares"))))
	if len(v.Keys()) != 1 || v.Fingerprint() != key {
		t.Errorf("the key file has %v", v.Keys())
	}
	s := must[*store.Store](t)(store.Open(t.Context(), "sqlite:"+filepath.Join(data, "entente.db"), v, store.ReadOnly()))
	defer s.Close() //nolint:errcheck // read only
	var gotNotes, gotClients int64
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		session, err := tx.Session(ps[0].ID, care.ID(b.session))
		if err != nil {
			return err
		}
		e, err := tx.Episode(ps[0].ID, session.Episode)
		if err != nil {
			return err
		}
		ns, err := tx.Notes(ps[0].ID, e.ID, e.Clients[0])
		for _, n := range ns {
			if strings.HasPrefix(n.Text, "storm ") {
				gotNotes++
			}
		}
		if err != nil {
			return err
		}
		rows, err := tx.Caseload(ps[0].ID, e.Therapists[0])
		for _, r := range rows {
			if strings.HasPrefix(r.Client.Label, "storm ") {
				gotClients++
			}
		}
		return err
	})
	if err != nil || gotNotes != notes.Load() || gotClients != clients.Load() || failed.Load() > 0 {
		t.Errorf("%d of %d notes, %d of %d clients, %d failed: %v", gotNotes, notes.Load(), gotClients, clients.Load(), failed.Load(), err)
	}
	if _, err := s.Check(t.Context(), func(int64) error { return nil }, func(d care.Damaged) error { return errors.New(d.String()) }); err != nil {
		t.Error(err)
	}
	t.Logf("drill | the key exchanged 3 times in a storm of notes and new clients | no pause; nothing lost | 0 failed | 0 of %d failed; all %d notes and %d clients open with the last key alone", notes.Load()+clients.Load(), gotNotes, gotClients)
}

// place is where the server's data and key file are.
func (b busy) place(t *testing.T) (data, key string) {
	t.Helper()
	for _, a := range b.p.cmd.Args {
		if x, ok := strings.CutPrefix(a, "--data="); ok {
			data = x
		}
		if x, ok := strings.CutPrefix(a, "--key="); ok {
			key = x
		}
	}
	return data, key
}
