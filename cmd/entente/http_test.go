// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
)

// visitor is a browser without a script: cookies, and no redirects followed.
type visitor struct {
	t    *testing.T
	base string
	http *http.Client
}

func (d demo) visitor(t *testing.T) visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return visitor{t, d.base, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	status   int
	location string
	body     string
	header   http.Header
}

func (v visitor) send(method, path, kind string, body io.Reader) answer {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	r, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{r.StatusCode, r.Header.Get("Location"), string(text), r.Header}
}

func (v visitor) get(path string) answer { v.t.Helper(); return v.send("GET", path, "", nil) }

func (v visitor) post(path string, form url.Values) answer {
	v.t.Helper()
	return v.send("POST", path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// TestSignedOut: whoever is nobody gets no page of staff, and every answer
// carries the headers that keep it from being kept, framed or scripted.
func TestSignedOut(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	v := d.visitor(t)
	for _, path := range []string{"/today", "/pulse", "/clients", "/clients/new", "/clients/x", "/clients/x/course.svg", "/clients/x/edit", "/sessions/x", "/sessions/x/rate", "/sessions/x/predict", "/colleagues", "/import", "/import/x", "/kiosk"} {
		r := v.get(path)
		if r.status != http.StatusSeeOther || r.location != "/signin" {
			t.Errorf("%s: %d %s", path, r.status, r.location)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"} {
			if !strings.HasPrefix(r.header.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, r.header.Get(name))
			}
		}
	}
	if r := v.get("/form"); r.status != http.StatusNotFound {
		t.Errorf("a form without a link: %d", r.status)
	}
	foreign, err := http.NewRequestWithContext(t.Context(), "POST", d.base+"/signin", strings.NewReader("email=a&password=b"))
	if err != nil {
		t.Fatal(err)
	}
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	r, err := v.http.Do(foreign)
	if err == nil && !strings.Contains(r.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the refusal of another site's form can be framed")
	}
	if err != nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("a form sent from another site: %v %v", r, err)
	}
	if err == nil {
		err = r.Body.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

// TestLinks: programs that only look at a link leave it valid; unknown and ended
// links answer alike.
func TestLinks(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	token := d.link(t, "Ines")
	bot := d.visitor(t)
	for range 20 {
		if r := bot.get("/f/" + token); r.status != http.StatusOK || r.header.Get("Set-Cookie") != "" {
			t.Fatalf("%d %v", r.status, r.header)
		}
	}
	v := d.visitor(t)
	if r := v.post("/f", url.Values{"token": {token}}); r.status != http.StatusSeeOther || r.location != "/form" {
		t.Fatalf("the link no longer opens: %d", r.status)
	}
	form := v.get("/form")
	if !strings.Contains(form.body, "112") {
		t.Error("the form does not say where help is in an emergency")
	}
	for _, private := range []string{"Ines", "Aurora", "Entente</title>"} {
		if strings.Contains(form.body, private) {
			t.Errorf("the form says %q", private)
		}
	}
	var ended string
	for _, bad := range []string{"0000000000000000000000000", "00000000000000000000000000", "nonsense", d.endedLink(t, "T. G.")} {
		r := d.visitor(t).post("/f", url.Values{"token": {bad}})
		if r.status != http.StatusNotFound {
			t.Errorf("%s: %d", bad, r.status)
		}
		if ended == "" {
			ended = r.body
		}
		if r.body != ended {
			t.Error("one ended link answers otherwise than another")
		}
	}
}

// endedLink is a link that a newer one has ended.
func (d demo) endedLink(t *testing.T, label string) string {
	t.Helper()
	old := d.link(t, label)
	if d.link(t, label) == old {
		t.Fatal("two links are the same")
	}
	return old
}

// TestKiosk: the device in a client's hands shows the form and nothing else, and
// gives nothing back before the PIN.
func TestKiosk(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	v := d.visitor(t)
	v.get("/demo/" + d.links.therapist)
	d.link(t, "Ines") // starts a session
	me, err := d.app.Authenticate(t.Context(), d.links.therapist)
	if err != nil {
		t.Fatal(err)
	}
	today, err := d.app.Today(t.Context(), me.Actor)
	if err != nil {
		t.Fatal(err)
	}
	var session app.SessionView
	for _, s := range today.Sessions {
		if s.Client.Label == "Ines" {
			session = s
		}
	}
	if r := v.post("/sessions/"+string(session.Session.ID)+"/kiosk", url.Values{"pin": {"12"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a PIN of two digits: %d", r.status)
	}
	if r := v.post("/sessions/"+string(session.Session.ID)+"/kiosk", url.Values{"pin": {"4711"}}); r.location != "/form" {
		t.Fatalf("%d %s", r.status, r.location)
	}
	for _, path := range []string{"/today", "/clients", "/clients/" + string(session.Client.ID), "/sessions/" + string(session.Session.ID), "/import"} {
		if r := v.get(path); r.location != "/kiosk" || strings.Contains(r.body, "Ines") {
			t.Errorf("%s: %d %s", path, r.status, r.location)
		}
	}
	for range 2 {
		form := v.get("/form").body
		hidden := func(name string) string {
			_, rest, _ := strings.Cut(form, `name="`+name+`" value="`)
			value, _, _ := strings.Cut(rest, `"`)
			return value
		}
		answers := url.Values{"submission": {hidden("submission")}, "form": {hidden("form")}}
		for _, m := range regexp.MustCompile(`name="(a-[a-z0-9]+)"`).FindAllStringSubmatch(form, -1) {
			answers.Set(m[1], "1")
		}
		if r := v.post("/form", answers); r.status != http.StatusSeeOther {
			t.Fatalf("%d %.300s", r.status, r.body)
		}
	}
	if r := v.get("/form/sent"); r.status != http.StatusOK {
		t.Errorf("no receipt: %d", r.status)
	}
	if r := v.get("/form"); r.status == http.StatusOK && strings.Contains(r.body, "fieldset") {
		t.Error("going back shows the form")
	}
	if r := v.post("/kiosk", url.Values{"pin": {"0000"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong PIN: %d", r.status)
	}
	if r := v.post("/kiosk", url.Values{"pin": {"4711"}}); r.status != http.StatusSeeOther {
		t.Errorf("the PIN: %d", r.status)
	}
	if r := v.get("/today"); r.status != http.StatusOK {
		t.Errorf("unlocked: %d", r.status)
	}
}

// TestImportPage: file, preview, import, and the same file again.
func TestImportPage(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	v := d.visitor(t)
	v.get("/demo/" + d.links.therapist)
	upload := func(csv string) answer {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		f, err := w.CreateFormFile("file", "earlier.csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, csv); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteField("map", "client: c\ntime: {column: t, format: iso}\ninstrument: session-client-adult\nitems: {bond1: b}\n"); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return v.send("POST", "/import", w.FormDataContentType(), &b)
	}
	if r := upload("c,t,b\nX,2025-01-01,99\n"); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "<td>2</td>") || !strings.Contains(r.body, "99") {
		t.Errorf("a bad file: %d %.600s", r.status, r.body)
	}
	r := upload("c,t,b\nBrought,2025-01-01,9\nBrought,2025-01-08,8\n")
	if r.status != http.StatusSeeOther {
		t.Fatalf("%d %.400s", r.status, r.body)
	}
	if page := v.get(r.location); !strings.Contains(page.body, "2 ratings") {
		t.Errorf("the preview: %.600s", page.body)
	}
	if strings.Contains(v.get("/clients").body, "Brought") {
		t.Error("the preview kept something")
	}
	v.post(r.location+"/start", nil)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(v.get("/clients").body, "Brought"); {
		if time.Now().After(end) {
			t.Fatal("the ratings never arrive")
		}
	}
}
