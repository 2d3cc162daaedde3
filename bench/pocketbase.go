// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// pocketbase is the other server, running, with a user signed in.
type pocketbase struct {
	browser
	proc          *process
	token, userID string
}

func servePocket(ctx context.Context, program, folder string, conns int) (*pocketbase, error) {
	listen, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, nil, program, "-dir", folder, "-listen", listen, "-email", managerEmail, "-password", managerPassword)
	if err != nil {
		return nil, err
	}
	b := &pocketbase{browser: newBrowser("http://"+listen, conns), proc: p}
	if err := b.browser.ready(ctx, "/api/health"); err != nil {
		return nil, errors.Join(err, fmt.Errorf("it said:\n%s", p.said), p.stop())
	}
	var in struct {
		Token  string
		Record struct{ ID string }
	}
	err = b.create(ctx, "/api/collections/users/auth-with-password", map[string]any{"identity": managerEmail, "password": managerPassword}, &in)
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	b.token, b.userID = in.Token, in.Record.ID
	return b, nil
}

// ready returns when the server answers at path, within half a minute.
func (b browser) ready(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	for {
		_, err := b.ask(ctx, http.StatusOK, request{method: "GET", path: path})
		if err == nil {
			return nil
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return fmt.Errorf("the server at %s has not answered: %w", b.base, err)
		}
	}
}

func (b *pocketbase) create(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	a, err := b.ask(ctx, http.StatusOK, request{method: "POST", path: path, kind: asJSON, body: string(body), bearer: b.token})
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(a.body), out)
}

func (b *pocketbase) clients(ctx context.Context, n int) ([]string, error) {
	out := make([]string, n)
	jobs := make([]job, n)
	for i := range jobs {
		jobs[i] = func(ctx context.Context) error {
			var made struct{ ID string }
			err := b.create(ctx, "/api/collections/clients/records", map[string]any{"label": fmt.Sprintf("client %d", i), "owner": b.userID}, &made)
			out[i] = made.ID
			return err
		}
	}
	_, err := run(ctx, preparing, jobs)
	return out, err
}

// submissions gives the jobs that create the responses of n clients to so many
// sessions each, in the order in which Entente gets them.
func (b *pocketbase) submissions(clients []string, sessions int) ([]job, error) {
	var out []job
	for s := range sessions {
		for _, c := range clients {
			body, err := json.Marshal(map[string]any{
				"client": c, "session": fmt.Sprintf("00000000-0000-7000-8000-%012d", s), "instrument": formID, "version": 1,
				"answers": answers(len(out)), "comment": comment,
			})
			if err != nil {
				return nil, err
			}
			text := string(body)
			out = append(out, func(ctx context.Context) error {
				_, err := b.ask(ctx, http.StatusOK, request{method: "POST", path: "/api/collections/responses/records", kind: asJSON, body: text, bearer: b.token})
				return err
			})
		}
	}
	return out, nil
}

// history gives the jobs that read one client's last 50 responses. skipTotal
// spares PocketBase the counting.
func (b *pocketbase) history(client string, times int) []job {
	q := url.Values{"filter": {"client='" + client + "'"}, "sort": {"-created"}, "perPage": {"50"}, "skipTotal": {"1"}}
	path := "/api/collections/responses/records?" + q.Encode()
	return repeat(times, func(ctx context.Context) error {
		a, err := b.ask(ctx, http.StatusOK, request{method: "GET", path: path, bearer: b.token})
		if err == nil && strings.Count(a.body, `"answers"`) != 50 {
			err = fmt.Errorf("there are %d responses, not 50", strings.Count(a.body, `"answers"`))
		}
		return err
	})
}

func repeat(times int, j job) []job {
	out := make([]job, times)
	for i := range out {
		out[i] = j
	}
	return out
}
