// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// browser speaks HTTP to one server. It follows no redirect, because where a
// form leads is part of the answer.
type browser struct {
	base string
	http *http.Client
}

func newBrowser(base string, conns int) browser {
	return browser{base: base, http: &http.Client{
		Timeout:       2 * time.Minute,
		Transport:     &http.Transport{MaxIdleConns: conns, MaxIdleConnsPerHost: conns, MaxConnsPerHost: conns, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type answer struct {
	status   int
	location string
	body     string
	cookies  []*http.Cookie
}

// cookie is the value the server set; "" when it set none.
func (a answer) cookie(name string) string {
	for _, c := range a.cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// request is what is asked; kind is the content type of body.
type request struct {
	method, path, kind, body string
	cookie, bearer           string
}

const (
	asForm = "application/x-www-form-urlencoded"
	asJSON = "application/json"
)

// ask sends a request and reads the whole answer. A status other than want is an
// error with the beginning of what the server said.
func (b browser) ask(ctx context.Context, want int, q request) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, b.base+q.path, strings.NewReader(q.body))
	if err != nil {
		return answer{}, err
	}
	if q.kind != "" {
		r.Header.Set("Content-Type", q.kind)
	}
	if q.cookie != "" {
		r.Header.Set("Cookie", q.cookie)
	}
	if q.bearer != "" {
		r.Header.Set("Authorization", q.bearer)
	}
	res, err := b.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, location: res.Header.Get("Location"), body: string(body), cookies: res.Cookies()}
	if a.status != want {
		return a, fmt.Errorf("%s %s: %d, not %d: %.300s", q.method, q.path, a.status, want, a.body)
	}
	return a, nil
}
