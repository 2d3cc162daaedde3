// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// entente is this project's server, running, with a practice set up and a
// manager who is also a therapist signed in.
type entente struct {
	browser
	proc  *process
	staff string // the cookie of the manager
	added int    // clients so far
}

// practiceData is where a server keeps its data.
type practiceData struct {
	program  string
	folder   string
	database string // "" for SQLite in the folder
}

func (d practiceData) key() string  { return filepath.Join(d.folder, "entente.key") }
func (d practiceData) file() string { return filepath.Join(d.folder, "data", "entente.db") }

// serve starts the program; setUp is the address of the first-run page, "" when
// the practice is set up already.
func (d practiceData) serve(ctx context.Context, conns int) (e *entente, setUp string, err error) {
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(d.folder, "data"), "--key", d.key()}
	if d.database != "" {
		args = append(args, "--database", d.database)
	}
	p, err := start(ctx, nil, d.program, args...)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	base, err := p.await(ctx, " serves ")
	if err != nil {
		return nil, "", errors.Join(err, p.stop())
	}
	e = &entente{browser: newBrowser(base, conns), proc: p}
	a, err := e.ask(ctx, http.StatusSeeOther, request{method: "GET", path: "/"})
	if err == nil && a.location == "/setup" {
		setUp, err = p.await(ctx, "set up: "+base)
	}
	if err != nil {
		return nil, "", errors.Join(err, p.stop())
	}
	return e, setUp, nil
}

const (
	managerEmail    = "manager@practice.example"
	managerPassword = "seven quiet lamps beside a river"
)

// found sets the practice up through the first-run page, which signs its manager in.
func (e *entente) found(ctx context.Context, setUp string) error {
	at, err := url.Parse(setUp)
	if err != nil {
		return err
	}
	if _, err := e.ask(ctx, http.StatusOK, request{method: "GET", path: setUp}); err != nil {
		return err
	}
	a, err := e.post(ctx, "/setup", "", url.Values{
		"code": {at.Query().Get("code")}, "practice": {"Harbour Street"}, "language": {"en"}, "time_zone": {"Europe/Rome"},
		"name": {"Nora Quill"}, "email": {managerEmail}, "password": {managerPassword},
	})
	if err != nil {
		return fmt.Errorf("set the practice up: %w", err)
	}
	return e.keep(a)
}

// signIn signs the manager in again, after a new start.
func (e *entente) signIn(ctx context.Context) error {
	a, err := e.post(ctx, "/signin", "", url.Values{"email": {managerEmail}, "password": {managerPassword}})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	return e.keep(a)
}

func (e *entente) keep(a answer) error {
	token := a.cookie("entente")
	if token == "" {
		return errors.New("the server gave no sign-in")
	}
	e.staff = "entente=" + token
	return nil
}

// post sends a form that must lead on to another page.
func (e *entente) post(ctx context.Context, path, cookie string, form url.Values) (answer, error) {
	return e.ask(ctx, http.StatusSeeOther, request{method: "POST", path: path, kind: asForm, body: form.Encode(), cookie: cookie})
}

func (e *entente) page(ctx context.Context, path, cookie string) (answer, error) {
	return e.ask(ctx, http.StatusOK, request{method: "GET", path: path, cookie: cookie})
}

// visit is a client's form, opened and waiting for its answers.
type visit struct {
	cookie, submission, form string
	token                    string
	number                   int // by which the answers differ
}

var (
	episodeIn    = regexp.MustCompile(`/episodes/([0-9a-f-]{36})/sessions`)
	plannedIn    = regexp.MustCompile(`/sessions/([0-9a-f-]{36})/hold`)
	tokenIn      = regexp.MustCompile(`/f/([0-9a-z]{26})`)
	submissionIn = regexp.MustCompile(`name="submission" value="([0-9a-f-]{36})"`)
	formIn       = regexp.MustCompile(`name="form" value="([^"]+)"`)
)

func found(in *regexp.Regexp, a answer, what string) (string, error) {
	m := in.FindStringSubmatch(a.body)
	if m == nil {
		return "", fmt.Errorf("there is no %s on the page", what)
	}
	return m[1], nil
}

// client adds a client who is asked the one session form, with so many weekly
// sessions that took place, and returns the sessions' ids.
func (e *entente) client(ctx context.Context, label string, sessions int) (client string, held []string, err error) {
	a, err := e.post(ctx, "/clients/new", e.staff, url.Values{"label": {label}, "age_band": {"adult"}, "language": {"en"}, "orientation": {"integrative"}, "setting": {"individual"}, "forms": {formID}})
	if err != nil {
		return "", nil, fmt.Errorf("add a client: %w", err)
	}
	page := a.location
	if a, err = e.page(ctx, page, e.staff); err != nil {
		return "", nil, err
	}
	episode, err := found(episodeIn, a, "episode")
	if err != nil {
		return "", nil, err
	}
	for n := range sessions {
		at := time.Now().Add(-time.Hour).AddDate(0, 0, 7*(n-sessions+1)).Format("2006-01-02T15:04")
		if _, err := e.post(ctx, "/episodes/"+episode+"/sessions", e.staff, url.Values{"when": {"later"}, "at": {at}}); err != nil {
			return "", nil, fmt.Errorf("plan a session: %w", err)
		}
	}
	if a, err = e.page(ctx, page, e.staff); err != nil {
		return "", nil, err
	}
	for _, m := range plannedIn.FindAllStringSubmatch(a.body, -1) {
		if _, err := e.post(ctx, "/sessions/"+m[1]+"/hold", e.staff, nil); err != nil {
			return "", nil, fmt.Errorf("hold a session: %w", err)
		}
		held = append(held, m[1])
	}
	if len(held) != sessions {
		return "", nil, fmt.Errorf("the client's page lists %d planned sessions, not %d", len(held), sessions)
	}
	return page, held, nil
}

// invite makes a link, as the therapist does at the end of a session.
func (e *entente) invite(ctx context.Context, session string) (visit, error) {
	a, err := e.ask(ctx, http.StatusOK, request{method: "POST", path: "/sessions/" + session + "/invite", kind: asForm, cookie: e.staff})
	if err != nil {
		return visit{}, fmt.Errorf("invite: %w", err)
	}
	token, err := found(tokenIn, a, "link")
	return visit{token: token}, err
}

// open follows a link to its form, as the client does.
func (e *entente) open(ctx context.Context, v visit) (visit, error) {
	a, err := e.post(ctx, "/f", "", url.Values{"token": {v.token}})
	if err != nil {
		return v, fmt.Errorf("open a link: %w", err)
	}
	v.cookie = "visit=" + a.cookie("visit")
	if a, err = e.page(ctx, "/form", v.cookie); err != nil {
		return v, fmt.Errorf("read a form: %w", err)
	}
	if v.submission, err = found(submissionIn, a, "submission"); err != nil {
		return v, err
	}
	v.form, err = found(formIn, a, "form")
	return v, err
}

// answered is the form as the client sends it.
func (v visit) answered() url.Values {
	form := url.Values{"submission": {v.submission}, "form": {v.form}, "comment": {comment}}
	for item, value := range answers(v.number) {
		form.Set("a-"+item, strconv.FormatFloat(value, 'f', -1, 64))
	}
	return form
}

// send sends the answers and returns when they are acknowledged; the receipt is
// a redirect to the page that shows it.
func (e *entente) send(ctx context.Context, v visit, body string) (answer, error) {
	a, err := e.ask(ctx, http.StatusSeeOther, request{method: "POST", path: "/form", kind: asForm, body: body, cookie: v.cookie})
	if err == nil && a.location != "/form/sent" {
		err = fmt.Errorf("the form led to %s, not to its receipt", a.location)
	}
	return a, err
}

// invitations adds n clients with so many sessions each and invites each client
// to each session. It lists first all first sessions, then all second ones.
func (e *entente) invitations(ctx context.Context, n, sessions int) (clients []string, out []visit, err error) {
	clients, out = make([]string, n), make([]visit, n*sessions)
	jobs := make([]job, n)
	first := e.added
	e.added += n
	for i := range jobs {
		jobs[i] = func(ctx context.Context) error {
			client, held, err := e.client(ctx, fmt.Sprintf("C. %d", first+i+1), sessions)
			if err != nil {
				return err
			}
			clients[i] = client
			for k, session := range held {
				v, err := e.invite(ctx, session)
				if err != nil {
					return err
				}
				v.number = k*n + i
				out[v.number] = v
			}
			return nil
		}
	}
	_, err = run(ctx, preparing, jobs)
	return clients, out, err
}

// preparing is how many requests are made at once while nothing is measured.
const preparing = 8

// submissions opens each visit, and gives the jobs that send their answers. The
// opening is not part of the jobs.
func (e *entente) submissions(ctx context.Context, visits []visit) ([]job, error) {
	open, send := make([]job, len(visits)), make([]job, len(visits))
	var mu sync.Mutex
	for i, v := range visits {
		open[i] = func(ctx context.Context) error {
			v, err := e.open(ctx, v)
			if err != nil {
				return err
			}
			body := v.answered().Encode()
			mu.Lock()
			defer mu.Unlock()
			send[i] = func(ctx context.Context) error {
				_, err := e.send(ctx, v, body)
				return err
			}
			return nil
		}
	}
	_, err := run(ctx, preparing, open)
	return send, err
}

// whole gives the jobs of a client's whole way: open the link, read the form,
// send it, read the receipt. Four requests each.
func (e *entente) whole(visits []visit) []job {
	out := make([]job, len(visits))
	for i, v := range visits {
		out[i] = func(ctx context.Context) error {
			v, err := e.open(ctx, v)
			if err != nil {
				return err
			}
			a, err := e.send(ctx, v, v.answered().Encode())
			if err != nil {
				return err
			}
			_, err = e.page(ctx, "/form/sent", v.cookie+"; receipt="+a.cookie("receipt"))
			return err
		}
	}
	return out
}
