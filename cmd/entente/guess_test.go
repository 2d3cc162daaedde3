// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/web"
)

// guesser sends guesses to the program's handler, as if from any address.
type guesser struct {
	t       *testing.T
	handler http.Handler
}

func (b *block) guesser(t *testing.T) *guesser {
	t.Helper()
	proxy := must[netip.Prefix](t)(netip.ParsePrefix("192.0.2.0/24")) // where httptest's requests come from
	log := slog.New(slog.NewJSONHandler(b.log, nil))
	at := time.Now() // stands still, so that no quarter of an hour ends on the way
	a := app.New(b.store, app.Config{Now: func() time.Time { return at }, Log: log})
	h := must[http.Handler](t)(web.New(a, web.Config{BaseURL: b.base, Log: log, Proxies: []netip.Prefix{proxy}}))
	return &guesser{t, h}
}

// try gives a token to the page that opens links, from an address.
func (g *guesser) try(token, address string) *http.Response {
	r := httptest.NewRequest(http.MethodPost, "/f", strings.NewReader(url.Values{"token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-For", address)
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return w.Result()
}

func (g *guesser) body(r *http.Response) string {
	return string(must[[]byte](g.t)(io.ReadAll(r.Body)))
}

// inForce makes a link that would open a form.
func (b *block) inForce(t *testing.T) string {
	t.Helper()
	l := must[app.Link](t)(b.app.Invite(t.Context(), b.therapist(t), care.ID(b.ids["session"])))
	return l.Token
}

// TestLinkGuessing: a link that is unknown, one that was replaced and a text that is no
// link answer alike to the byte; after 200 of them an address is told to wait, for
// good links too, and another address is not.
func TestLinkGuessing(t *testing.T) {
	t.Parallel()
	b := newBlock(t)
	g := b.guesser(t)
	old := b.inForce(t)
	good := b.inForce(t)
	first := ""
	for i := range app.GuessesByAddress {
		token := []string{auth.NewToken().Text(), old, "no link at all"}[i%3]
		r := g.try(token, "198.51.100.7")
		if body := g.body(r); r.StatusCode != http.StatusNotFound || first != "" && body != first {
			t.Fatalf("guess %d: %d, alike: %v", i, r.StatusCode, body == first)
		} else {
			first = body
		}
	}
	bad, right := g.try(auth.NewToken().Text(), "198.51.100.7"), g.try(good, "198.51.100.7")
	if bad.StatusCode != http.StatusTooManyRequests || right.StatusCode != bad.StatusCode || g.body(bad) != g.body(right) || bad.Header.Get("Retry-After") == "" || len(right.Cookies()) > 0 {
		t.Errorf("past the bound: %d for a bad link, %d for a good one", bad.StatusCode, right.StatusCode)
	}
	for _, path := range []string{"/join/" + auth.NewToken().Text(), "/join/x"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("X-Forwarded-For", "198.51.100.7")
		w := httptest.NewRecorder()
		if g.handler.ServeHTTP(w, r); w.Code != http.StatusTooManyRequests {
			t.Errorf("%s: %d", path[:6], w.Code)
		}
	}
	if r := g.try(good, "203.0.113.9"); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/form" {
		t.Errorf("the good link from elsewhere: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
	if log := b.log.String(); strings.Count(log, "are being guessed") != 1 || strings.Contains(log, "198.51.100.7") || strings.Contains(log, good) {
		t.Error("the log does not say once, without the address, that somebody is guessing")
	}
}

// guesses are sent by so many at once as a drill.
const guesses, guessers = 1_000_000, 16

// TestDrillGuessing (two minutes of one processor) tries a million links, nine tenths from one address and a tenth
// from 65,536: none opens anything, and the one address is told to wait. It also reports by Welch's t whether links that
// begin as a good one does are answered slower or faster than others.
func TestDrillGuessing(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("a million guesses: set ENTENTE_DRILL")
	}
	b := newBlock(t)
	g := b.guesser(t)
	good := b.inForce(t)
	var next, found atomic.Int64
	var mu sync.Mutex
	count := map[int]int{}
	at := time.Now()
	var all sync.WaitGroup
	for range guessers {
		all.Go(func() {
			mine := map[int]int{}
			for i := next.Add(1) - 1; i < guesses; i = next.Add(1) - 1 {
				address := "198.51.100.7"
				if i%10 == 9 {
					address = fmt.Sprintf("10.1.%d.%d", i/10>>8&255, i/10&255)
				}
				r := g.try(auth.NewToken().Text(), address)
				mine[r.StatusCode]++
				if r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusTooManyRequests || len(r.Cookies()) > 0 {
					found.Add(1)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for status, n := range mine {
				count[status] += n
			}
		})
	}
	all.Wait()
	took := time.Since(at).Round(time.Second)
	if n := found.Load(); n != 0 {
		t.Errorf("%d guesses opened something: %v", n, count)
	}
	// Those that are on their way when the bound is reached are still looked at.
	if n := count[http.StatusTooManyRequests]; n > guesses/10*9-app.GuessesByAddress || n < guesses/10*9-app.GuessesByAddress-guessers {
		t.Errorf("%d were told to wait", n)
	}
	if r := g.try(good, "203.0.113.9"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("afterwards the good link gives %d", r.StatusCode)
	}
	t.Logf("drill | %d links guessed, nine tenths from one address and a tenth from 65,536 | none opens; the one address is told to wait | 0 hits | %d hits in %v; %d told to wait, %d not found", guesses, found.Load(), took, count[http.StatusTooManyRequests], count[http.StatusNotFound])
	timing(t, g, good)
}

// TestGuessTiming reports Welch's t for guesses that share a good link's first 24
// of 26 characters; links are looked up by a hash, so that none should be found.
func TestGuessTiming(t *testing.T) {
	b := newBlock(t)
	timing(t, b.guesser(t), b.inForce(t))
}

func timing(t *testing.T, g *guesser, good string) {
	t.Helper()
	var near, far []float64
	for i := range 2_000 {
		address := fmt.Sprintf("10.9.%d.%d", i>>8, i&255)
		random := auth.NewToken().Text()
		if random[24] == good[24] { // the last two characters have but 256 values: this may be the good link
			continue
		}
		pair := []string{random, good[:24] + random[24:]}
		for k := range pair {
			k ^= i & 1 // each goes first as often as the other
			at := time.Now()
			r := g.try(pair[k], address)
			d := float64(time.Since(at).Microseconds())
			if r.StatusCode != http.StatusNotFound {
				t.Fatalf("a guess: %d", r.StatusCode)
			}
			if k == 0 {
				far = append(far, d)
			} else {
				near = append(near, d)
			}
		}
	}
	m, v := trimmed(near)
	n, w := trimmed(far)
	welch := (m - n) / math.Sqrt(v/float64(len(near))+w/float64(len(far)))
	t.Logf("known beginning %.0f us, random %.0f us, Welch's t %.2f over %d and %d", m, n, welch, len(near), len(far))
	if math.IsNaN(welch) || math.Abs(welch) > 20 { // a machine that others use is noisy
		t.Errorf("Welch's t is %.1f", welch)
	}
}

// trimmed is mean and variance without the slowest twentieth, in which other
// programs of the machine show.
func trimmed(xs []float64) (mean, variance float64) {
	xs = slices.Sorted(slices.Values(xs))
	xs = xs[:len(xs)-len(xs)/20]
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		variance += (x - mean) * (x - mean) / float64(len(xs)-1)
	}
	return mean, variance
}
