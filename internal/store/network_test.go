// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProtected: over a network PostgreSQL must prove who it is, unless it is said
// in so many words that it need not.
func TestProtected(t *testing.T) {
	t.Parallel()
	some := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(some.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	must(t, os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: some.Certificate().Raw}), 0o600))
	for dsn, want := range map[string]bool{
		"postgres://e@/entente?host=/var/run/postgresql":                             true,
		"postgres://e@localhost/entente":                                             true,
		"postgres://e@127.0.0.1:5432/entente?sslmode=prefer":                         true,
		"postgres://e@[::1]/entente":                                                 true,
		"postgres://e@db.example.org/entente":                                        false,
		"postgres://e@db.example.org/entente?sslmode=prefer":                         false,
		"postgres://e@db.example.org/entente?sslmode=allow":                          false,
		"postgres://e@db.example.org/entente?sslmode=require":                        false,
		"postgres://e@db.example.org/entente?sslmode=verify-full":                    true,
		"postgres://e@db.example.org/entente?sslmode=verify-ca&sslrootcert=" + roots: true,
		"postgres://e@db.example.org/entente?sslmode=disable":                        true,
		"postgres://e@127.0.0.1,db.example.org/entente":                              false,
		"postgres://e@a.example.org,b.example.org/entente?sslmode=verify-full":       true,
		"postgres://e@10.0.0.7/entente":                                              false,
	} {
		if err := protected(dsn); (err == nil) != want {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	_, err := Open(t.Context(), "postgres://e@db.example.org/entente", nil)
	if err == nil || !strings.Contains(err.Error(), "sslmode=verify-full") {
		t.Errorf("the refusal does not say what to do: %v", err)
	}
}
