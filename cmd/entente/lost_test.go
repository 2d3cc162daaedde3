// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// line is the way between a browser and the server, which can break.
type line struct {
	base  string
	state atomic.Int32
	cut   atomic.Int32 // connections broken so far
}

const (
	whole  int32 = iota
	broken       // nothing arrives
	oneWay       // what is sent arrives, and no answer comes back
)

func (d demo) line(t *testing.T) *line {
	t.Helper()
	to, err := url.Parse(d.base)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{}
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = to.Host
		if r.In.Header.Get("Origin") != "" {
			r.Out.Header.Set("Origin", d.base)
		}
	}, ModifyResponse: func(r *http.Response) error {
		if at := r.Header.Get("Location"); strings.HasPrefix(at, d.base) {
			r.Header.Set("Location", strings.TrimPrefix(at, d.base))
		}
		return nil
	}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch l.state.Load() {
		case oneWay:
			through.ServeHTTP(httptest.NewRecorder(), r)
			fallthrough
		case broken:
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				err = c.Close()
			}
			if err != nil {
				t.Error(err)
			}
			l.cut.Add(1)
		default:
			through.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	l.base = srv.URL
	return l
}

// hurry makes a page's timers run at a share of their time, and keeps what was
// asked of them.
func (b browser) hurry() {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
			window.timers = []; const slow = window.setTimeout;
			window.setTimeout = (f, ms, ...rest) => { window.timers.push(ms); return slow(f, ms / 20, ...rest); };`})
		return err
	}))
}

// TestLostConnection: the line breaks before the answers arrive, and after; each
// time they go out by themselves, and count once.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	l := d.line(t)
	b := newBrowser(t)
	b.look(390, false)
	b.hurry()
	b.open(l.base + "/f#" + d.link(t, "Ines"))
	b.until("location.pathname === '/form'")
	b.fill(.6)
	before := eval[string](b, "new URLSearchParams(new FormData(document.getElementById('form'))).toString()")
	b.open(l.base + "/form") // a reload, or a phone that closed the tab's page
	b.until("document.querySelector('fieldset.item')")
	if after := eval[string](b, "new URLSearchParams(new FormData(document.getElementById('form'))).toString()"); after != before {
		t.Errorf("after a reload the form has\n%s, not\n%s", after, before)
	}
	for i, state := range []int32{broken, oneWay} {
		l.state.Store(state)
		cut := l.cut.Load()
		b.fill(.6)
		b.click("button.send")
		b.until("document.querySelector('.state').textContent.startsWith('It could not be sent')")
		for l.cut.Load() < cut+3 { // it tries again by itself
			b.until("true")
		}
		if n := eval[int](b, "document.querySelectorAll('input:checked').length"); n == 0 {
			t.Error("the answers are gone while the line is down")
		}
		if i == 0 {
			b.shot("form-lost-phone-en")
		}
		l.state.Store(whole)
		b.until("!document.querySelector('input:checked')")
	}
	b.until("document.querySelector('.receipt')")
	if of, done := d.received(t, "Ines"); of != 2 || done != 2 {
		t.Errorf("%d of %d forms were received", done, of)
	}
	if kept := eval[string](b, "JSON.stringify({...sessionStorage, ...localStorage})"); kept != "{}" {
		t.Errorf("the browser keeps %s", kept)
	}
}

// TestIdleKiosk: a device that is put down gives nothing away: after a minute
// the answers are gone and the PIN is asked for.
func TestIdleKiosk(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	l := d.line(t)
	b := newBrowser(t)
	b.look(820, false)
	b.hurry()
	b.open(l.base + "/demo/" + d.links.therapist)
	b.until("location.pathname === '/today'")
	handOver := func() {
		b.open(b.client(l.base, "Ines"))
		b.click(".acts button.main")
		b.until("document.getElementById('pin')")
		b.put("pin", "4711")
		b.click("form[action$='/kiosk'] button")
		b.until("document.querySelector('fieldset.item')")
	}
	handOver()
	b.fill(.2)
	b.until("document.querySelector('.state').textContent.startsWith('Are you still there')")
	if asked := eval[[]int](b, "timers.filter(ms => ms >= 1e4).slice(-2)"); len(asked) != 2 || asked[0]+asked[1] != 60_000 {
		t.Errorf("the device waits %v ms, not a minute", asked)
	}
	b.until("location.pathname === '/kiosk'")
	if kept := eval[string](b, "JSON.stringify({...sessionStorage, ...localStorage})"); kept != "{}" {
		t.Errorf("the browser keeps %s", kept)
	}
	b.open(l.base + "/form")
	if n := eval[int](b, "document.querySelectorAll('fieldset.item').length"); n != 0 {
		t.Error("the form can be reached again without the therapist")
	}
	b.open(l.base + "/kiosk")
	b.put("pin", "4711")
	b.click("main button.main")
	b.until("location.pathname === '/today'")

	// Answers that wait for the connection are not to be read by whoever comes next.
	handOver()
	b.fill(.2)
	l.state.Store(broken)
	b.click("button.send")
	b.until("document.querySelector('.state').textContent.startsWith('It could not be sent')")
	if n := eval[int](b, "[...document.querySelectorAll('fieldset.item, textarea')].filter(e => e.checkVisibility()).length"); n != 0 {
		t.Errorf("%d questions can be read while the answers wait", n)
	}
	b.shot("form-lost-kiosk-en")
	l.state.Store(whole)
	b.until("document.querySelector('fieldset.item')?.checkVisibility() && !document.querySelector('input:checked')")
}
