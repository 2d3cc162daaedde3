// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// mould is the invented practice at rest, made once for each language: to live
// its eight months anew for each test took half of the processor's time.
type mould struct {
	dir   string
	links demoLinks
	err   error
}

var madeMoulds sync.Map // their folders

var moulds = map[string]func() mould{
	"en": sync.OnceValue(func() mould { return cast("en") }),
	"it": sync.OnceValue(func() mould { return cast("it") }),
}

func cast(lang string) (m mould) {
	if m.dir, m.err = os.MkdirTemp("", "entente-invented-"); m.err != nil {
		return m
	}
	madeMoulds.Store(m.dir, nil)
	ctx := context.Background()
	v, err := vault.Create(filepath.Join(m.dir, "entente.key"))
	if err != nil {
		return mould{dir: m.dir, err: err}
	}
	shares, err := vault.CreateShares(filepath.Join(m.dir, "entente.shares"))
	if err != nil {
		return mould{dir: m.dir, err: err}
	}
	v.UseShares(shares)
	s, err := store.Open(ctx, "sqlite:"+filepath.Join(m.dir, "entente.db"), v)
	if err != nil {
		return mould{dir: m.dir, err: err}
	}
	clock := &demoClock{}
	m.links, err = past(ctx, app.New(s, app.Config{Now: clock.now, SetUpCode: demoCode}), clock, lang)
	m.err = errors.Join(err, s.Close())
	return m
}

// removeMoulds removes what was made.
func removeMoulds() {
	madeMoulds.Range(func(dir, _ any) bool {
		_ = os.RemoveAll(dir.(string))
		return true
	})
}

// invented is a copy of the invented practice in a folder of the test's own, open,
// with its therapist just signed in.
func invented(t *testing.T, lang string) lived {
	t.Helper()
	m := moulds[lang]()
	if m.err != nil {
		t.Fatal(m.err)
	}
	l := lived{dir: t.TempDir()}
	copyFolder(t, m.dir, l.dir)
	l.open(t, "sqlite:"+filepath.Join(l.dir, "entente.db"), vault.Open, vault.OpenShares)
	var err error
	if l.links, err = enter(t.Context(), l.app, m.links); err != nil {
		t.Fatal(err)
	}
	return l
}

// open opens the practice in the folder until the test ends.
func (l *lived) open(t *testing.T, url string, key func(string) (*vault.Vault, error), shares func(string) (*vault.Shares, error)) {
	t.Helper()
	l.key = filepath.Join(l.dir, "entente.key")
	l.vault = must[*vault.Vault](t)(key(l.key))
	l.vault.UseShares(must[*vault.Shares](t)(shares(filepath.Join(l.dir, "entente.shares"))))
	l.store = must[*store.Store](t)(store.Open(t.Context(), url, l.vault))
	t.Cleanup(func() {
		if err := l.store.Close(); err != nil {
			t.Error(err)
		}
	})
	l.app = app.New(l.store, app.Config{SetUpCode: demoCode})
}

// copyFolder copies files and folders with who may read them.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == from {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		at := filepath.Join(to, path[len(from):])
		if e.IsDir() {
			return os.Mkdir(at, info.Mode().Perm())
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(at, content, info.Mode().Perm())
	}); err != nil {
		t.Fatal(err)
	}
}
