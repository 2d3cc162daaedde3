// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// perClient is how many responses a client of the large database has, perFile
// how many are imported at once.
const (
	perClient = 50
	perFile   = 50_000
)

// many fills a database by the program's own import, and looks at how long the
// server takes to start on it and what memory it holds after work on it.
func (b *bench) many(ctx context.Context, responses int) error {
	d := practiceData{program: b.ours.program, folder: filepath.Join(b.dir, "many")}
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
	if err := b.fill(ctx, d, responses); err != nil {
		return err
	}
	info, err := os.Stat(d.file())
	if err != nil {
		return err
	}
	b.out.add("database MB", float64(info.Size())/1e6)
	b.out.add("responses", float64(responses))
	for range b.pairs {
		if err := b.startOnce(ctx, d, "start many"); err != nil {
			return err
		}
	}
	return b.work(ctx, d)
}

// fill imports file after file; each is one transaction.
func (b *bench) fill(ctx context.Context, d practiceData, responses int) error {
	mapping := filepath.Join(d.folder, "map.yaml")
	text := "client: client\ntime: {column: at, format: iso}\ninstrument: " + formID + "\n"
	if err := os.WriteFile(mapping, []byte(text), 0o600); err != nil {
		return err
	}
	began := time.Now()
	for first := 0; first < responses; first += perFile {
		n := min(perFile, responses-first)
		file := filepath.Join(d.folder, "part.csv")
		if err := writeRatings(file, first, n); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, d.program, "import", "--data", filepath.Join(d.folder, "data"), "--key", d.key(), "--map", mapping, file) //nolint:gosec // the program that is measured
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("import: %w\n%s", err, out)
		}
		b.say("imported %d of %d responses after %s, load %s", first+n, responses, time.Since(began).Round(time.Second), load())
	}
	b.out.add("imported/s", float64(responses)/time.Since(began).Seconds())
	kept, err := countRows(ctx, d.file(), "response")
	if err == nil && kept != int64(responses) {
		err = fmt.Errorf("%d responses were imported, %d are there", responses, kept)
	}
	return err
}

// writeRatings writes n weekly ratings, perClient to a client.
func writeRatings(file string, first, n int) error {
	w := &bytes.Buffer{}
	items := []string{"bond1", "bond2", "tasks1", "tasks2", "goals1", "goals2"}
	fmt.Fprint(w, "client,at")
	for _, it := range items {
		fmt.Fprint(w, ",", it)
	}
	fmt.Fprintln(w)
	start := time.Now().UTC().AddDate(-2, 0, 0)
	for i := first; i < first+n; i++ {
		client, session := i/perClient, i%perClient
		fmt.Fprintf(w, "K %d,%s", client, start.AddDate(0, 0, 7*session).Format("2006-01-02T15:04:05"))
		a := answers(i)
		for _, it := range items {
			fmt.Fprintf(w, ",%v", a[it])
		}
		fmt.Fprintln(w)
	}
	return os.WriteFile(file, w.Bytes(), 0o600)
}

// work starts the server on the large database, reads a hundred clients' pages
// and sends a few courses of submissions.
func (b *bench) work(ctx context.Context, d practiceData) (err error) {
	ids, err := someClients(ctx, d.file(), 100)
	if err != nil {
		return err
	}
	e, _, err := d.serve(ctx, mostConns)
	if err != nil {
		return err
	}
	defer func() { err = join(err, e.proc.stop) }()
	if err := e.signIn(ctx); err != nil {
		return err
	}
	var pages []job
	for _, id := range ids {
		pages = append(pages, func(ctx context.Context) error {
			_, err := e.ask(ctx, http.StatusOK, request{method: "GET", path: "/clients/" + id, cookie: e.staff})
			return err
		})
	}
	read, err := run(ctx, 4, pages)
	if err != nil {
		return err
	}
	_, visits, err := e.invitations(ctx, 40, courseLength)
	if err != nil {
		return err
	}
	jobs, err := e.submissions(ctx, visits)
	if err != nil {
		return err
	}
	m, err := run(ctx, mostConns, jobs)
	if err != nil {
		return err
	}
	b.out.add("with many: pages/s at 4", read.PerSecond)
	b.out.add("with many: submissions/s at 64", m.PerSecond)
	return b.remember(e.proc, "memory many")
}

func someClients(ctx context.Context, file string, n int) (out []string, err error) {
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT client_id FROM client ORDER BY client_id LIMIT $1", n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
