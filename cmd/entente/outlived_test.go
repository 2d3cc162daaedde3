// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
	"github.com/entente-project/entente/internal/store"
)

// filled is the form on a page as it is sent: everywhere the answer that stands at
// a share of its line.
func filled(page string, share float64) url.Values {
	hidden := func(name string) string {
		_, rest, _ := strings.Cut(page, `name="`+name+`" value="`)
		v, _, _ := strings.Cut(rest, `"`)
		return v
	}
	points := map[string][]string{}
	for _, m := range regexp.MustCompile(`name="(a-[a-z0-9]+)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		points[m[1]] = append(points[m[1]], m[2])
	}
	out := url.Values{"submission": {hidden("submission")}, "form": {hidden("form")}}
	for name, values := range points {
		out.Set(name, values[int(share*float64(len(values)-1))])
	}
	return out
}

// held is what the database has of a session: its responses' contents and notes.
func (b *block) held(t *testing.T) (responses []care.Response, notes int) {
	t.Helper()
	ctx := t.Context()
	if err := b.store.Read(ctx, func(tx *store.Tx) error {
		ps, err := tx.Practices()
		for _, p := range ps {
			rs, more := tx.Responses(p.ID, care.ID(b.ids["episode"]), care.ID(b.ids["client"]))
			ns, most := tx.Notes(p.ID, care.ID(b.ids["episode"]), care.ID(b.ids["client"]))
			responses, notes, err = append(responses, rs...), notes+len(ns), errors.Join(err, more, most)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return responses, notes
}

// therapist signs the therapist in a second time.
func (b *block) therapist(t *testing.T) care.Actor {
	t.Helper()
	in := must[app.SignedIn](t)(b.app.SignIn(t.Context(), app.Credentials{Email: "t@example.org", Password: demoPassword, Address: "x"}))
	return must[app.Me](t)(b.app.Authenticate(t.Context(), in.Token)).Actor
}

// TestTwoTabs: the same form open twice, as the client and as the therapist: what
// is sent first is kept as it was, what is sent second is not, and says so.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	b, p := newBlock(t), i18n.For("en")
	start := func() string {
		me := b.therapist(t)
		b.ids["session"] = string(must[care.ID](t)(b.app.StartSession(t.Context(), me, care.ID(b.ids["episode"]))))
		return must[app.Link](t)(b.app.Invite(t.Context(), me, care.ID(b.ids["session"]))).Token
	}
	v := b.visitor(t)
	if r := v.post("/f", url.Values{"token": {start()}}); r.location != "/form" {
		t.Fatalf("%d", r.status)
	}
	before, _ := b.held(t)
	one, two := v.get("/form").body, v.get("/form").body
	first, second := filled(one, .2), filled(two, 1)
	if first.Get("submission") == second.Get("submission") {
		t.Fatal("two tabs have one submission")
	}
	if r := v.post("/form", first); r.status != http.StatusSeeOther {
		t.Fatalf("the first: %d", r.status)
	}
	r := v.post("/form", second)
	if r.status != http.StatusConflict || !strings.Contains(r.body, p.T("form.already.more")) || strings.Contains(r.body, p.T("form.already.text")) {
		t.Errorf("the second, while another form waits: %d", r.status)
	}
	last := filled(v.get("/form").body, .2)
	again := filled(v.get("/form").body, 1)
	if r := v.post("/form", last); r.location != "/form/sent" {
		t.Errorf("the last: %d %s", r.status, r.location)
	}
	if r := v.post("/form", again); r.status != http.StatusConflict || !strings.Contains(r.body, p.T("form.already.text")) {
		t.Errorf("the last again: %d", r.status)
	}
	path := "/sessions/" + b.ids["session"] + "/rate"
	th := b.people[roleTherapist]
	mine, other := filled(th.get(path).body, .2), filled(th.get(path).body, 1)
	if r := th.post(path, mine); r.status != http.StatusSeeOther || strings.Contains(r.location, "already") {
		t.Fatalf("the therapist's: %d %s", r.status, r.location)
	}
	r = th.post(path, other)
	if r.status != http.StatusSeeOther || !strings.Contains(th.get(r.location).body, p.T("form.already.first")) {
		t.Errorf("the therapist's second: %d %s", r.status, r.location)
	}
	kept, _ := b.held(t)
	if len(kept) != len(before)+3 {
		t.Errorf("%d responses came in", len(kept)-len(before))
	}
	sent := map[string]url.Values{}
	for _, form := range []url.Values{first, last, mine} {
		sent[form.Get("submission")] = form
	}
	found := 0
	for _, k := range kept {
		form := sent[string(k.ID)]
		if form == nil {
			continue
		}
		found++
		for item, x := range k.Content.Answers {
			if want := form.Get("a-" + item); want != strconv.FormatFloat(x, 'f', -1, 64) {
				t.Errorf("%s: %s is %v, not %s", k.Instrument, item, x, want)
			}
		}
	}
	if found != len(sent) {
		t.Errorf("%d of the %d sent first are kept", found, len(sent))
	}
}

// TestFormOutlivesItsLink: a link that a newer one has ended while its form was
// open keeps nothing, and says so as to somebody with any other link.
func TestFormOutlivesItsLink(t *testing.T) {
	t.Parallel()
	b, p := newBlock(t), i18n.For("en")
	me := b.therapist(t)
	b.ids["session"] = string(must[care.ID](t)(b.app.StartSession(t.Context(), me, care.ID(b.ids["episode"]))))
	v := b.visitor(t)
	v.post("/f", url.Values{"token": {must[app.Link](t)(b.app.Invite(t.Context(), me, care.ID(b.ids["session"]))).Token}})
	form := filled(v.get("/form").body, .4)
	before := b.kept(t, "invitation", "audit", "audit_head", "throttle")
	newer := must[app.Link](t)(b.app.Invite(t.Context(), me, care.ID(b.ids["session"]))).Token
	r, never := v.post("/form", form), b.visitor(t).post("/form", form)
	if r.status != http.StatusNotFound || !strings.Contains(r.body, p.T("form.closed.unsent")) || r.body != never.body {
		t.Errorf("an ended link's form: %d; as without any link: %v", r.status, r.body == never.body)
	}
	if after := b.kept(t, "invitation", "audit", "audit_head", "throttle"); !maps.Equal(before, after) {
		t.Error("something of it was kept")
	}
	if r := v.post("/f", url.Values{"token": {newer}}); r.location != "/form" {
		t.Fatalf("the newer link: %d", r.status)
	}
	if r := v.post("/form", form); r.status != http.StatusSeeOther {
		t.Errorf("the same answers by the newer link: %d", r.status)
	}
}

// TestFormOutlivesItsSignIn: what is sent by a page whose sign-in has ended is not
// kept, and the page that follows says so.
func TestFormOutlivesItsSignIn(t *testing.T) {
	t.Parallel()
	b, p := newBlock(t), i18n.For("en")
	th, path := b.people[roleTherapist], "/sessions/"+b.ids["session"]
	own := filled(th.get(path+"/rate").body, .5)
	if err := b.app.EndSignIns(t.Context(), b.therapist(t), ""); err != nil {
		t.Fatal(err)
	}
	before := b.kept(t)
	for to, form := range map[string]url.Values{path + "/note": {"note": {"a long note"}}, path + "/rate": own, "/clients/new": {"label": {"Somebody"}}} {
		r := th.post(to, form)
		if r.status != http.StatusSeeOther || !strings.Contains(th.get(r.location).body, p.T("signin.unsaved")) {
			t.Errorf("%s: %d %s", to[:8], r.status, r.location)
		}
	}
	if r := th.get(path); r.location != "/signin" {
		t.Errorf("a page that was only looked at: %s", r.location)
	}
	if !maps.Equal(before, b.kept(t)) {
		t.Error("something of it was kept")
	}
}
