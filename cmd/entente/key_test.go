// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// lineWriter hands each line of a log over.
type lineWriter chan string

func (w lineWriter) Write(b []byte) (int, error) {
	w <- string(b)
	return len(b), nil
}

// TestKeyExchanged locks and exchanges the key by commands while the database is
// open here, as in a running server.
func TestKeyExchanged(t *testing.T) {
	t.Parallel()
	for engine, url := range map[string]func() string{
		"sqlite":   func() string { return "" },
		"postgres": func() string { return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			at := url()
			l := live(t, at)
			if at == "" {
				at = "sqlite:" + filepath.Join(l.dir, "entente.db")
			}
			words := filepath.Join(l.dir, "words")
			if err := os.WriteFile(words, []byte("CANARY fifteen characters\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			do := func(well bool, args ...string) string {
				t.Helper()
				said, ok := command(t, append([]string{"key"}, args...)...)
				if ok != well || strings.Contains(said, "CANARY") {
					t.Fatalf("key %v: %v, %s", args, ok, said)
				}
				return strings.TrimSpace(said)
			}
			before, err := vault.Open(l.key)
			if err != nil {
				t.Fatal(err)
			}
			old := before.Fingerprint()
			do(true, "lock", "--key", l.key, "--new-passphrase-file", words)
			do(false, "add", "--key", l.key)
			file := []string{"--key", l.key, "--key-passphrase-file", words}
			base := append([]string{"--database", at}, file...)
			next := do(true, append([]string{"add"}, file...)...)

			p := place{Database: at, Key: l.key, lockFlags: lockFlags{KeyPassphrase: words}}
			lock, err := p.lock()
			if err != nil {
				t.Fatal(err)
			}
			v, s := l.vault, l.store
			signals, log := make(chan os.Signal), make(lineWriter, 4)
			ctx, end := context.WithCancel(t.Context())
			defer end()
			go followKey(ctx, signals, p, lock, v, s, slog.New(slog.NewTextHandler(log, nil)))
			again := func(want string) {
				t.Helper()
				signals <- syscall.SIGHUP
				select {
				case line := <-log:
					if !strings.Contains(line, want) || strings.Contains(line, "CANARY") {
						t.Fatalf("the log says %s", line)
					}
				case <-time.After(30 * time.Second):
					t.Fatal("the server did not read its key file again")
				}
			}
			again("keys=2 rewrapped=0")
			do(true, append([]string{"promote", next}, file...)...)
			do(false, append([]string{"remove", old}, base...)...)
			again("primary=" + next)
			if said := do(true, append([]string{"list"}, base...)...); !strings.Contains(said, old+" opens, 0 data keys") {
				t.Fatalf("key list says %s", said)
			}
			do(true, append([]string{"remove", old}, base...)...)
			again("keys=1 rewrapped=0")
			if err := s.Sound(t.Context()); err != nil {
				t.Error(err)
			}
			fresh, err := vault.OpenLocked(t.Context(), l.key, lock)
			if err != nil || len(fresh.Keys()) != 1 {
				t.Errorf("the key file after all: %v, %v", fresh, err)
			}
		})
	}
}
