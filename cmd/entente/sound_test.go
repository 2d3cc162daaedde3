// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDamageFound: a server finds at its start that a line of the audit was
// changed behind its back, says so, and goes on serving.
func TestDamageFound(t *testing.T) {
	t.Parallel()
	l := live(t, "")
	if err := l.store.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(l.dir, "entente.db")
	spoiled, whole := "UPDATE audit SET act = 'x' || act WHERE seq = 3", "UPDATE audit SET act = SUBSTR(act, 2) WHERE seq = 3"
	for _, step := range []struct{ change, want string }{{spoiled, "damaged"}, {whole, "ok"}} {
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), step.change); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		t.Run(step.want, func(t *testing.T) {
			said := program(t, "serve", "--data="+l.dir, "--key="+l.key, "--listen=127.0.0.1:0")
			base := strings.Fields(saidBy(t, said, "entente "))
			address := base[len(base)-1]
			for ok := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				r, err := http.Get(address + "/health")
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Body.Close(); err != nil {
					t.Fatal(err)
				}
				var said struct{ Status string }
				if err := json.Unmarshal(body, &said); err != nil {
					t.Fatal(err)
				}
				if r.StatusCode == http.StatusOK && said.Status == step.want {
					break
				}
				if time.Now().After(ok) {
					t.Fatalf("health: %d %s, not %s", r.StatusCode, body, step.want)
				}
			}
		})
	}
}
