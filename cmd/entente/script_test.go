// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// watching runs before any page's own script: it counts what ran and what the
// page's policy had to stop.
const watching = `window.ran = 0; window.stopped = [];
for (const f of ['alert', 'confirm', 'prompt', 'print']) window[f] = () => { window.ran++; };
document.addEventListener('securitypolicyviolation', (e) => window.stopped.push(e.violatedDirective + ' ' + e.blockedURI));`

// payloads are texts that would run, in some place of some page, if it were
// written there as it is.
func payloads() (out []string) {
	shapes := []string{
		`<script>%s</script>`, `"><script>%s</script>`, `'><img src=x onerror=%s>`, `<img src=x onerror=%s>`, `<svg onload=%s>`, `<body onload=%s>`,
		`</title><script>%s</script>`, `</textarea><script>%s</script>`, `</style><script>%s</script>`, `</script><script>%s</script>`,
		`" autofocus onfocus=%s x="`, `' onmouseover=%s x='`, `<iframe srcdoc="<script>%s</script>">`, `<details open ontoggle=%s>`, `<math><mi//xlink:href="javascript:%s">`,
		`javascript:%s//`, `{{%s}}`, `${%s}`, `<a href="javascript:%s">x</a>`, `<style onload=%s></style>`, `--><script>%s</script><!--`, `<base href="//evil.example/"><script>%s</script>`,
		`<meta http-equiv="refresh" content="0;url=javascript:%s">`, `<input onfocus=%s autofocus>`, `<video><source onerror=%s>`,
	}
	calls := []string{`alert(1)`, `confirm(document.cookie)`, `window.ran++`, `top.alert(1)`, "alert`1`", `setTimeout('alert(1)')`, `eval('alert(1)')`, `self['al'+'ert'](1)`}
	for _, s := range shapes {
		for _, c := range calls {
			out = append(out, fmt.Sprintf(s, c))
		}
	}
	return out
}

// TestScriptsInTexts: 200 texts with scripts in them, as names, references,
// answers' comments, notes and a practice's colleague, run on no page, and no
// page's policy had to stop one.
func TestScriptsInTexts(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	me, err := d.app.Authenticate(t.Context(), d.links.therapist)
	if err != nil {
		t.Fatal(err)
	}
	ctx, all := t.Context(), payloads()
	if len(all) != 200 {
		t.Fatalf("%d payloads", len(all))
	}
	var client care.ID
	for _, p := range all {
		if client, err = d.app.AddClient(ctx, me.Actor, app.NewClient{Label: p, AgeBand: care.Adult, Language: "en"}); err != nil {
			t.Fatalf("%q: %v", p, err)
		}
	}
	if _, err := d.app.AddStaff(ctx, me.Actor, app.NewColleague{Name: all[0], Email: "x@example.org", Language: "en", Roles: []care.Role{care.Therapist}}); err != nil {
		t.Fatal(err)
	}
	v, err := d.app.ClientPage(ctx, me.Actor, client, "")
	if err != nil {
		t.Fatal(err)
	}
	session, err := d.app.StartSession(ctx, me.Actor, v.Episode.ID)
	if err != nil {
		t.Fatal(err)
	}
	for start := 0; start < len(all); start += 25 {
		if err := d.app.AddNote(ctx, me.Actor, session, strings.Join(all[start:start+25], "\n")); err != nil {
			t.Fatal(err)
		}
	}
	link := d.says(t, me.Actor, session, strings.Join(all[:25], "\n"))
	draft := d.hostile(t, me.Actor, all)
	b := newBrowser(t)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watching})
		return err
	}))
	// The watch sees one that runs, where no policy stops it.
	b.open("data:text/html,<p>x")
	eval[any](b, "document.body.innerHTML = `<img src=x onerror=alert(1)>`, 0")
	b.until("window.ran === 1")
	b.open(d.base + "/demo/" + d.links.therapist)
	b.until("location.pathname === '/today'")
	for _, path := range []string{
		"/today", "/clients", "/clients?q=script", "/clients/" + string(client), "/clients/" + string(client) + "/edit", "/clients/" + string(client) + "/access",
		"/sessions/" + string(session), "/colleagues", "/account", "/emergency", "/library", "/library/core-10", "/publish", "/signin", "/f/" + link, "/f#" + link, "/import",
		draft + "?named=1", draft + "/preview", draft + "/check?fill=low", draft + "/publish",
	} {
		b.open(d.base + path)
		b.until("document.readyState === 'complete'")
		// Whatever waits for the pointer or the focus gets it.
		eval[any](b, `(async () => { for (const e of document.querySelectorAll('*')) for (const k of ['mouseover', 'focus', 'toggle', 'load', 'error']) e.dispatchEvent(new Event(k));
			await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50))); })()`)
		if n := eval[int](b, "window.ran ?? -1"); n != 0 {
			t.Errorf("%s: %d scripts ran", path, n)
		}
		if stopped := eval[[]string](b, "window.stopped"); len(stopped) > 0 {
			t.Errorf("%s: the policy had to stop %q", path, stopped)
		}
	}
}

// says lets a session's client answer with a comment; it returns a fresh link.
func (d demo) says(t *testing.T, me care.Actor, session care.ID, comment string) string {
	t.Helper()
	l, err := d.app.Invite(t.Context(), me, session)
	if err != nil {
		t.Fatal(err)
	}
	visit, err := d.app.OpenInvitation(t.Context(), l.Token)
	if err != nil {
		t.Fatal(err)
	}
	by, err := d.app.Respondent(t.Context(), visit.Token)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.app.NextForm(t.Context(), by)
	if err != nil {
		t.Fatal(err)
	}
	in := app.Submission{ID: care.ID(uuid.Must(uuid.NewV7()).String()), Instrument: f.Instrument.ID, Version: f.Instrument.Version, Language: "en", Comment: comment, Answers: instrument.Answers{}}
	for _, i := range f.Instrument.Items {
		in.Answers[i.ID] = i.Max
	}
	if _, err := d.app.RecordRating(t.Context(), by, in); err != nil {
		t.Fatal(err)
	}
	if l, err = d.app.Invite(t.Context(), me, session); err != nil {
		t.Fatal(err)
	}
	return l.Token
}
