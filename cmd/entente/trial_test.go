// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build trial

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
	"github.com/entente-project/entente/internal/web"
)

// TestTrial measures an import of real ratings and the pages afterwards, over
// HTTP, from a file and a mapping that are not part of the project: TRIAL_CSV,
// TRIAL_MAP.
func TestTrial(t *testing.T) {
	data, err := os.ReadFile(os.Getenv("TRIAL_CSV"))
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := os.ReadFile(os.Getenv("TRIAL_MAP"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := app.ParseImportMap("mapping", mapped)
	if err != nil {
		t.Fatal(err)
	}
	src := app.ImportSource{Name: "trial.csv", Size: int64(len(data)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
	for engine, url := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "entente.db") },
		"postgres": func() string { return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			s, err := store.Open(t.Context(), url(), vault.Generate())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close() //nolint:errcheck // nothing is kept
			a := app.New(s, app.Config{SetUpCode: demoCode})
			in, err := a.SetUpPractice(t.Context(), app.SetUp{Code: demoCode, Practice: "Trial", Language: "en", TimeZone: "Europe/Rome", Name: "Elena Neri", Email: "neri@example.org", Password: demoPassword})
			if err != nil {
				t.Fatal(err)
			}
			me, err := a.Authenticate(t.Context(), in.Token)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				at := time.Now()
				plan, err := a.Import(t.Context(), me.Actor, m, src, nil)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("import: %v; %d responses of %d clients are new, %d known, %d problems", time.Since(at), plan.Responses, plan.Clients, plan.Known, plan.Total)
			}
			measurePages(t, a, in.Token)
		})
	}
}

func measurePages(t *testing.T, a *app.App, token string) {
	srv := httptest.NewUnstartedServer(nil)
	base := "http://" + srv.Listener.Addr().String()
	h, err := web.New(a, web.Config{BaseURL: base, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = h
	srv.Start()
	defer srv.Close()
	v := demo{base: base}.visitor(t)
	v.get("/demo/" + token)
	// The page of the pair with the most sessions, among the clients' newest.
	most, pair := "", ""
	for _, row := range strings.Split(v.get("/clients").body, `<li class="case">`)[1:] {
		n := regexp.MustCompile(`(\d+) sessions`).FindStringSubmatch(row)
		at := regexp.MustCompile(`href="(/clients/[^"]+)"`).FindStringSubmatch(row)
		if n != nil && at != nil && (len(n[1]) > len(most) || len(n[1]) == len(most) && n[1] > most) {
			most, pair = n[1], at[1]
		}
	}
	for name, path := range map[string]string{"list of clients": "/clients", "today": "/today", "client with " + most + " sessions": pair} {
		took := make([]time.Duration, 60)
		for i := range took {
			at := time.Now()
			if r := v.get(path); r.status != http.StatusOK {
				t.Fatalf("%s: %d", path, r.status)
			}
			took[i] = time.Since(at)
		}
		slices.Sort(took)
		t.Logf("%s: p50 %v, p95 %v, max %v", name, took[30], took[56], took[59])
	}
}
