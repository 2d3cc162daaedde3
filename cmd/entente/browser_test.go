// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/web"
)

// demo is the invented practice, served for one test.
type demo struct {
	base  string
	dir   string
	links demoLinks
	store *store.Store
	app   *app.App
}

func serveDemo(t *testing.T, lang string) demo {
	t.Helper()
	l := invented(t, lang)
	d := demo{dir: l.dir, links: l.links, store: l.store, app: l.app}
	srv := httptest.NewUnstartedServer(nil)
	d.base = "http://" + srv.Listener.Addr().String()
	h, err := web.New(d.app, web.Config{BaseURL: d.base, Demo: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = h
	srv.Start()
	t.Cleanup(srv.Close)
	return d
}

// browser is one headless Chromium with an empty profile.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func newBrowser(t *testing.T, more ...chromedp.ExecAllocatorOption) browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("Chromium is missing: run scripts/setup-tests, or apt-get install chromium")
	}
	opts := append(slices.Concat(chromedp.DefaultExecAllocatorOptions[:], more), chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(stop)
	// The browser lives as long as the context it is first used with.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return browser{t, ctx}
}

type action = chromedp.Action[chromedp.Void]

func (b browser) do(actions ...action) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 30*time.Second)
	defer stop()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// eval runs a script in the page and returns its value, awaiting promises.
func eval[T any](b browser, script string) T {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 30*time.Second)
	defer stop()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits for a script to be true.
func (b browser) until(script string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		ctx, stop := context.WithTimeout(b.ctx, 10*time.Second)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+script+")"))
		stop()
		if err == nil && ok {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("never true: %s (at %s: %.400s)", script, eval[string](b, "location.pathname"), eval[string](b, "document.body.innerText"))
}

func (b browser) open(url string) { b.t.Helper(); b.do(chromedp.Navigate(url)) }

// click clicks the first element that matches and waits for the page it leads to.
func (b browser) click(selector string) {
	b.t.Helper()
	b.until("document.readyState !== 'loading' && document.querySelector(`" + selector + "`)")
	eval[any](b, "document.querySelector(`"+selector+"`).click()")
}

// look sets the width of the window and the colour scheme.
func (b browser) look(width int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.do(chromedp.EmulateViewport(width, 844), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// axe reports every violation of WCAG 2.2 A and AA on the page as it is.
func (b browser) axe(name string) {
	b.t.Helper()
	script, err := os.ReadFile("../../internal/web/testdata/axe.min.js")
	if err != nil {
		b.t.Fatal(err)
	}
	eval[any](b, "Promise.race([Promise.allSettled(document.getAnimations().map(a => a.finished)), new Promise(r => setTimeout(r, 1000))])") // a colour on its way is not one
	eval[any](b, string(script)+";0")
	found := eval[string](b, `axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']}).then(r =>
		(r.passes.length ? '' : 'axe looked at nothing ') + r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target + ' ' + (n.any[0]?.message || n.failureSummary)).join('; ')).join('\n'))`)
	if found != "" {
		b.t.Errorf("%s: %s", name, found)
	}
}

// kept says which pictures the documentation keeps: each page in three looks, so
// that the repository stays small.
func kept(name string) bool {
	for _, other := range []string{"-desktop-it", "-phone-en", "-dark-it"} {
		if strings.HasSuffix(name, other) && !strings.HasPrefix(name, "form") && !strings.HasPrefix(name, "receipt") {
			return false
		}
	}
	return true
}

// shot checks a page with axe and, where pictures are asked for, keeps one.
func (b browser) shot(name string) {
	b.t.Helper()
	b.axe(name)
	folder := os.Getenv("ENTENTE_PICTURES")
	if folder == "" || !kept(name) {
		return
	}
	ctx, stop := context.WithTimeout(b.ctx, 30*time.Second)
	defer stop()
	var picture []byte
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		r, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Format: page.CaptureScreenshotFormatWebp, Quality: new(int64(80)), CaptureBeyondViewport: new(true)})
		picture = r.Data
		return err
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".webp"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
