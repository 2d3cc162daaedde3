// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// long chooses between what every run of the tests does and the whole drill,
// which ENTENTE_DRILL asks for.
func long[T any](short, whole T) T {
	if os.Getenv("ENTENTE_DRILL") != "" {
		return whole
	}
	return short
}

// fill adds a client with so many answered sessions, each answer with a comment
// of ordinary length.
func (l lived) fill(t *testing.T, responses int) {
	t.Helper()
	words := strings.Repeat("It was not easy to say what I wanted today. ", 12)
	for done := 0; done < responses; {
		err := l.store.Write(t.Context(), func(tx *store.Tx) error {
			id := func() care.ID { return care.ID(uuid.Must(uuid.NewV7()).String()) }
			c := care.Client{ID: id(), Practice: l.neri.Practice, Label: "X", AgeBand: care.Adult, Language: "en"}
			e := care.Episode{ID: id(), Practice: l.neri.Practice, Clients: []care.ID{c.ID}, OpenedOn: "2026-01-01"}
			if err := tx.AddClient(c); err != nil {
				return err
			}
			if err := tx.AddEpisode(e); err != nil {
				return err
			}
			for range 500 {
				s := care.Session{ID: id(), Practice: l.neri.Practice, Episode: e.ID, AtMillis: int64(done), Status: care.Held}
				if err := tx.AddSession(s); err != nil {
					return err
				}
				r := care.Response{ID: id(), Practice: l.neri.Practice, Episode: e.ID, Session: s.ID, Client: c.ID, By: c.ID, Informant: "client",
					Instrument: "session-adult", Version: 1, Language: "en", AnsweredMillis: int64(done), Content: care.Content{Comment: words, Answers: map[string]float64{"a": rand.Float64()}}}
				if _, err := tx.AddResponse(r); err != nil {
					return err
				}
				if err := tx.Audit(care.AuditEntry{ID: id(), Practice: l.neri.Practice, AtMillis: int64(done), Actor: l.neri.Staff, Action: "rate", Record: r.ID, About: c.ID, Changes: true}); err != nil {
					return err
				}
				done++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pace writes at a steady rate, as many people do who send forms now and then,
// and gives how long each waited, counted from when it was to be sent.
func (l lived) pace(ctx context.Context, t *testing.T, perSecond int) []time.Duration {
	t.Helper()
	rows, err := l.app.Caseload(t.Context(), l.neri)
	if err != nil {
		t.Fatal(err)
	}
	v, err := l.app.ClientPage(t.Context(), l.neri, rows[0].Client.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var waits []time.Duration
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case due := <-tick.C:
			all.Go(func() {
				if err := l.app.AddNote(context.WithoutCancel(ctx), l.neri, v.Sessions[0].Session.ID, "in the meantime"); err != nil {
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

func p99(waits []time.Duration) time.Duration {
	slices.Sort(waits)
	return waits[len(waits)*99/100]
}

// TestDrillBackupSpeed: what a backup costs those who write meanwhile, and how
// long it takes for each gigabyte. Times are measured by turns, without and with
// a backup, because this machine has other work too.
func TestDrillBackupSpeed(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("measures times: set ENTENTE_DRILL")
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			url := ""
			if engine == "postgres" {
				url = storetest.Postgres(t)
			}
			l := live(t, url)
			l.fill(t, long(2_000, 100_000))
			v, err := vault.Open(l.key)
			if err != nil {
				t.Fatal(err)
			}
			f := backupFlags{BackupTo: filepath.Join(l.dir, "backups"), BackupRecipient: newKey(t, filepath.Join(l.dir, "backup.key"))}
			const perSecond = 50
			var without, with []time.Duration
			var took time.Duration
			var size int64
			for range long(1, 3) {
				ctx, stop := context.WithTimeout(t.Context(), long(time.Second, 15*time.Second))
				without = append(without, l.pace(ctx, t, perSecond)...)
				stop()
				ctx, stop = context.WithCancel(t.Context())
				began := time.Now()
				go func() {
					defer stop()
					name, err := f.backup(t.Context(), v, l.store, began)
					if err != nil {
						t.Error(err)
						return
					}
					took += time.Since(began)
					info, err := os.Stat(name)
					if err != nil {
						t.Error(err)
						return
					}
					size += info.Size()
				}()
				with = append(with, l.pace(ctx, t, perSecond)...)
			}
			if size == 0 || len(with) == 0 {
				t.Fatal("nothing was measured")
			}
			a, b := p99(without), p99(with)
			began := time.Now() // nobody writes now
			if _, err := f.backup(t.Context(), v, l.store, began.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			alone := time.Since(began)
			gb := float64(size) / (1 << 30)
			t.Logf("drill | a backup of a %s database while %d a second are written | writers hardly notice | p99 at most twice; 60 s/GB | p99 %s, without a backup %s (%.1f times, %d and %d writes); %.0f s/GB, of %d MB; with nobody writing %.0f s/GB",
				engine, perSecond, ms(b), ms(a), float64(b)/float64(a), len(with), len(without), took.Seconds()/gb, size/int64(long(1, 3))>>20, alone.Seconds()/gb*float64(long(1, 3)))
		})
	}
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
