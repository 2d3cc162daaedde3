// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

var parsedPages = sync.OnceValues(loadPages)

// newCall is a request without an App behind it, and where its answer goes.
func newCall(t testing.TB, lang, pattern string) (*call, *httptest.ResponseRecorder) {
	t.Helper()
	ps, err := parsedPages()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{pages: ps, cfg: Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now}}
	method, path, _ := strings.Cut(pattern, " ")
	r := httptest.NewRequest(method, path, nil)
	r.Pattern = pattern
	w := httptest.NewRecorder()
	return &call{s: s, w: w, r: r, p: i18n.For(lang)}, w
}

// sample is one page as it may look.
type sample struct {
	name   string
	v      any
	errors map[string]string
}

func sampleForm(lang, id string, kiosk bool) app.FormView {
	in, _ := library.Get(id)
	return app.FormView{
		Instrument: in, Language: lang, Submission: "0199f1f0-0000-7000-8000-000000000001",
		Readers: []string{"Dr. Anna Neri", "Dr. Elio Conti"}, AtMillis: 1_780_000_000_000, Step: 1, Of: 2, Kiosk: kiosk,
		Help: app.HelpShown{Text: "Guardia medica: 116117\n<b>", Language: "it"},
	}
}

func samples(lang string) []sample {
	p := i18n.For(lang)
	wrong := map[string]string{"bond1": "Please.", "comment": "Too long."}
	receipt := receiptView{Number: "0A1B-2C3D", AtMillis: 1, Readers: []string{"Dr. Anna Neri"}, Language: lang, Help: "116117", HelpIn: "it"}
	handed := receipt
	handed.Kiosk = true
	out := []sample{
		{"form-open", openView{}, nil}, {"form-open", openView{Token: "abc"}, nil},
		{"form", newFormModel(p, sampleForm(lang, "session-client-adult", false), map[string][]string{"a-bond1": {"7"}}, wrong), wrong},
		{"form-waiting", receiptView{}, nil}, {"form-waiting", handed, nil}, {"consent-open", openView{}, nil}, {"consent-open", openView{Token: "abc"}, nil}, {"consent-own", textsView{}, nil},
		{"consent-own", textsView{Texts: []ownText{{OwnConsent: app.OwnConsent{Kind: care.ToTreatment, Said: care.Given, Anew: true}, Lines: []string{"<b>"}, Language: "it", When: "x", Choices: []care.ConsentState{care.Given, care.Refused, care.Withdrawn}}, {OwnConsent: app.OwnConsent{Kind: care.DataNotice}, Language: "en", Choices: []care.ConsentState{care.Given}}}}, map[string]string{"": "No."}},
		{"form-sent", receipt, nil}, {"form-sent", handed, nil}, {"form-already", receiptView{}, nil}, {"form-already", handed, nil},
		{"form-blank", time.Now(), nil},
		{"form-work", newWorkStep(p, app.WorkStep{Readers: []string{"<A>"}, Goals: []app.WorkItem{{Agreed: care.Agreed{Item: "g", Content: care.AgreedContent{Words: "<sleep>"}}}}, Tasks: []app.WorkItem{{Agreed: care.Agreed{Item: "t", Content: care.AgreedContent{Words: "walk"}}}}}, map[string][]string{"p-g": {"4"}, "d-t": {"not"}, "y-t": {"<rain>"}}, map[string]string{"g": "No."}), nil},
		{"form-now", helpNowModel{HelpShown: app.HelpShown{Text: "<116117>", Language: "it", Hours: "<h>"}, Told: []string{"<A>", "B"}, To: "/form/sent"}, nil}, {"form-now", helpNowModel{To: "/form"}, nil}, {"kiosk", kioskView{}, nil}, {"kiosk", kioskView{}, map[string]string{"pin": "No."}},
		{"error", errorView{Title: "T", Text: "x", Reference: "ABC", Back: "/"}, nil},
		{"error", errorView{Title: "T", Text: "x", Respondent: true, Kiosk: true}, nil},
		{"signin", signInView{}, nil}, {"signin", signInView{Email: "a@b.c"}, map[string]string{"password": "No."}},
		{"signin", signInView{Providers: []app.ProviderName{{ID: "a", Name: "<A>"}}}, map[string]string{"": "No."}}, {"onward", onward{"https://a.example.org/?x=1&y=2", "<A>"}, nil},
		{"join", joinView{Name: "Anna", Token: "abc"}, nil},
		{"setup", setupView{SetUp: app.SetUp{TimeZone: "Europe/Rome"}, TimeZones: timeZones()}, map[string]string{"password": "No.", "code": "No.", "": "No."}},
	}
	for _, in := range library.All() {
		out = append(out, sample{"form", newFormModel(p, sampleForm(lang, in.ID, true), nil, nil), nil})
	}
	return out
}

func TestEveryPageIsSound(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		for i, x := range samples(lang) {
			t.Run(fmt.Sprintf("%s/%s/%d", lang, x.name, i), func(t *testing.T) {
				t.Parallel()
				c, w := newCall(t, lang, "GET /form")
				if err := c.write(http.StatusOK, x.name, view{Path: "/x", V: x.v, Errors: x.errors}); err != nil {
					t.Fatal(err)
				}
				inspect(t, lang, w.Body.String())
			})
		}
	}
}

// inspect looks for what no page of ours may have, or lack.
func inspect(t *testing.T, lang, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	count, ids := map[string]int{}, map[string]bool{}
	var wanted []string // ids that something points to
	for n := range doc.Descendants() {
		if n.Type == html.TextNode {
			if key := regexp.MustCompile(`\b(form|error|signin|setup|kiosk|common|join|password|field)\.[a-z_]+`).FindString(n.Data); key != "" && n.Parent.Data != "style" {
				t.Errorf("a message is missing: %q", key)
			}
			continue
		}
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		a := attributes(n)
		for name, value := range a {
			if name == "style" || strings.HasPrefix(name, "on") {
				t.Errorf("<%s %s=%q> is refused by our own policy", n.Data, name, value)
			}
			if strings.Contains(value, "<no value>") || strings.Contains(value, "ZgotmplZ") {
				t.Errorf("<%s %s=%q> was not filled in", n.Data, name, value)
			}
		}
		if id, ok := a["id"]; ok {
			if ids[id] {
				t.Errorf("two elements are called %q", id)
			}
			ids[id] = true
		}
		wanted = append(wanted, strings.Fields(a["aria-describedby"]+" "+a["for"]+" "+a["aria-labelledby"])...)
		if to, ok := strings.CutPrefix(a["href"], "#"); ok {
			wanted = append(wanted, to)
		}
		switch n.Data {
		case "html":
			if a["lang"] != lang {
				t.Errorf("the page says it is in %q", a["lang"])
			}
		case "title":
			if n.FirstChild == nil || strings.TrimSpace(n.FirstChild.Data) == "" {
				t.Error("no title")
			}
		case "script":
			if a["src"] == "" {
				t.Error("a script inside the page")
			}
		case "input", "textarea", "select":
			if a["type"] != "hidden" && a["id"] == "" && a["aria-label"] == "" && n.Parent.Data != "label" {
				t.Errorf("<%s name=%q> has no name that can be heard", n.Data, a["name"])
			}
		case "form":
			// Example answers of a draft are nobody's, and may stand in an address.
			if try := a["method"] == "get" && strings.HasPrefix(a["action"], "/drafts/") && strings.HasSuffix(a["action"], "/check"); try {
				continue
			}
			if a["method"] != "post" || !strings.HasPrefix(a["action"], "/") {
				t.Errorf("a form goes to %q by %q", a["action"], a["method"])
			}
		}
	}
	for _, one := range []string{"h1", "main", "title"} {
		if count[one] != 1 {
			t.Errorf("%d <%s>", count[one], one)
		}
	}
	for _, id := range wanted {
		if !ids[id] {
			t.Errorf("nothing is called %q", id)
		}
	}
}

func attributes(n *html.Node) map[string]string {
	out := map[string]string{}
	for _, a := range n.Attr {
		out[a.Key] = a.Val
	}
	return out
}

// A client's form: two requests (a child's three) and 20 kB in all, its style under the hash that
// its own policy names, and nothing from anywhere else.
func TestFormIsSmall(t *testing.T) {
	t.Parallel()
	ps, err := parsedPages()
	if err != nil {
		t.Fatal(err)
	}
	script, aloud := len(ps.assets["form.js"].data), len(ps.assets["child.js"].data)
	for _, lang := range i18n.Languages() {
		for _, in := range library.All() {
			if in.Informant != instrument.Client {
				continue
			}
			c, w := newCall(t, lang, "GET /form")
			if err := c.render(http.StatusOK, "form", newFormModel(c.p, sampleForm(lang, in.ID, false), nil, nil)); err != nil {
				t.Fatal(err)
			}
			page := w.Body.String()
			// A child's form is read aloud by a second script.
			scripts, size := 1, len(page)+script
			if slices.Contains(in.Ages, instrument.Child) {
				scripts, size = 2, size+aloud
			}
			if size > 20_000 {
				t.Errorf("%s in %s: %d bytes", in.ID, lang, size)
			}
			if strings.Contains(page, `rel="stylesheet"`) || strings.Count(page, "<script") != scripts || strings.Contains(page, "//") && strings.Contains(page, "http") {
				t.Errorf("%s in %s asks for other scripts than its own", in.ID, lang)
			}
			_, rest, _ := strings.Cut(page, "<style>")
			style, _, _ := strings.Cut(rest, "</style>")
			sum := sha256.Sum256([]byte(style))
			if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(w.Header().Get("Content-Security-Policy"), want) {
				t.Errorf("the style is not the one its policy allows")
			}
		}
	}
	if script > 3_500 {
		t.Errorf("form.js has %d bytes", script)
	}
}

// On an unmarked line nothing tells a number to the eye, and each place has a
// name for the ear.
func TestLineShowsNoNumber(t *testing.T) {
	t.Parallel()
	c, w := newCall(t, "en", "GET /form")
	if err := c.render(http.StatusOK, "form", newFormModel(c.p, sampleForm("en", "session-client-adult", false), nil, nil)); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	radios := 0
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "p" && regexp.MustCompile(`\d`).MatchString(n.Data) && n.Parent.Data != "span" {
			t.Errorf("a number is shown: %q", n.Data)
		}
		if a := attributes(n); a["name"] == "a-bond1" {
			radios++
			if a["value"] == "7" && a["aria-label"] != "7 of 10" {
				t.Errorf("seven is called %q", a["aria-label"])
			}
			if _, set := a["checked"]; set {
				t.Error("an answer is set before anybody chose it")
			}
		}
	}
	if radios != 11 {
		t.Errorf("%d places on the line", radios)
	}
}

func TestLinePlacesAreAnswers(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		least, most, step float64
		places            int
	}{{0, 10, 1, 11}, {1, 5, 1, 5}, {0, 100, 1, 11}, {0, 10, .1, 11}, {0, 10, 0, 11}, {1, 7, .5, 13}, {-3, 3, 1, 7}, {0, 17, 1, 11}} {
		it := instrument.Item{ID: "x", Display: instrument.Line, Min: x.least, Max: x.most, Step: x.step}
		in := &instrument.Instrument{Items: []instrument.Item{it}}
		points := linePoints(i18n.For("en"), it, "low", "high")
		if len(points) != x.places {
			t.Errorf("%v to %v by %v: %d places", x.least, x.most, x.step, len(points))
		}
		for _, pt := range points {
			form := map[string][]string{"a-x": {pt.Value}}
			if err := in.Check(submissionOf(form, "en").Answers); err != nil {
				t.Errorf("%v to %v by %v: %q: %v", x.least, x.most, x.step, pt.Value, err)
			}
		}
		if first, last := points[0].Value, points[len(points)-1].Value; first != written(x.least) || last != written(x.most) {
			t.Errorf("the line goes from %s to %s", first, last)
		}
	}
}

func TestSubmission(t *testing.T) {
	t.Parallel()
	s := submissionOf(map[string][]string{
		"submission": {"id"}, "form": {"session-client-adult@1"}, "comment": {"a\r\nb"},
		"a-bond1": {"7"}, "a-tension": {"-1"}, "a-bond2": {""}, "a-tasks1": {"seven"}, "other": {"1"},
	}, "it")
	if s.ID != "id" || s.Instrument != "session-client-adult" || s.Version != 1 || s.Comment != "a\nb" || s.Language != "it" {
		t.Errorf("read as %+v", s)
	}
	if len(s.Answers) != 3 || s.Answers["bond1"] != 7 || s.Answers["tension"] != -1 || s.Answers["tasks1"] == s.Answers["tasks1"] {
		t.Errorf("answers %v", s.Answers)
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		err    error
		status int
	}{
		{care.Missing(), 404}, {care.Denied(), 403}, {care.Bad("x", "error.invalid"), 422},
		{&care.Error{Code: care.Conflict}, 409}, {&care.Error{Code: care.Unavailable}, 503}, {errors.New("canary"), 500},
		{fmt.Errorf("wrapped: %w", care.Denied()), 403}, {&care.Error{Code: "new"}, 500},
	} {
		c, w := newCall(t, "it", "GET /clients/canary-token")
		c.r.Pattern = "GET /clients/{id}"
		var log bytes.Buffer
		c.s.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		c.fail(x.err)
		if w.Code != x.status {
			t.Errorf("%v: status %d, want %d", x.err, w.Code, x.status)
		}
		if strings.Contains(w.Body.String(), "canary") || strings.Contains(log.String(), "canary-token") {
			t.Errorf("%v: a canary got out", x.err)
		}
		inspect(t, "it", w.Body.String())
		if x.status == 500 && !strings.Contains(log.String(), "reference=") {
			t.Errorf("%v: nothing in the log: %s", x.err, &log)
		}
		if x.status == 503 && w.Header().Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
}

// TestPanic: whatever a handler panics with, the person gets a page with a
// reference, and no word of the value goes into the log.
func TestPanic(t *testing.T) {
	t.Parallel()
	for _, do := range []func(*call) error{
		func(*call) error { panic("canary") },
		func(c *call) error { panic(errors.New("canary")) },
		func(c *call) error { return c.redirect([]string{}[len(c.r.Method)]) },
	} {
		c, _ := newCall(t, "en", "GET /x")
		var log bytes.Buffer
		c.s.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		w := httptest.NewRecorder()
		c.s.handle(route{"GET /x", anyone, do})(w, httptest.NewRequest("GET", "/x", nil))
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String()+log.String(), "canary") {
			t.Errorf("%d\n%s\n%s", w.Code, w.Body, &log)
		}
		if !strings.Contains(log.String(), "render_test.go") || !strings.Contains(log.String(), "reference=") {
			t.Errorf("the log does not say where: %s", &log)
		}
	}
}

// A link that is unknown, has expired or was ended looks the same, wherever it
// is met.
func TestClosedLinksLookAlike(t *testing.T) {
	t.Parallel()
	var first string
	for _, pattern := range []string{"POST /f", "GET /form", "POST /form", "GET /form/sent"} {
		for _, err := range []error{care.Missing(), &care.Error{Code: care.NotFound, Key: "form.expired", Err: errors.New("expired")}} {
			c, w := newCall(t, "en", pattern)
			c.fail(err)
			if w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", pattern, w.Code)
			}
			body := w.Body.String()
			if pattern == "POST /form" { // who has just sent something is told that it is lost
				unsent := c.p.T("form.closed.unsent") + " "
				if !strings.Contains(body, unsent) {
					t.Error("nobody says that what was sent is lost")
				}
				body = strings.Replace(body, unsent, "", 1)
			}
			if first == "" {
				first = body
			}
			if body != first {
				t.Errorf("%s: %v shows another page", pattern, err)
			}
		}
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		c, w := newCall(t, "en", "GET /x")
		c.s.secure = secure
		c.keepSignIn(app.SignedIn{Token: "t", Expires: time.Now().Add(time.Hour)})
		c.keepVisit(app.Link{Token: "v"})
		for _, k := range w.Result().Cookies() {
			if !k.HttpOnly || k.Path != "/" || k.Secure != secure || strings.HasPrefix(k.Name, "__Host-") != secure || k.Domain != "" {
				t.Errorf("cookie %s", k)
			}
			if strings.HasSuffix(k.Name, staffCookie) && k.SameSite != http.SameSiteLaxMode {
				t.Errorf("the sign-in goes with other sites' requests: %s", k)
			}
			if strings.HasSuffix(k.Name, visitCookie) && (k.SameSite != http.SameSiteStrictMode || !k.Expires.IsZero()) {
				t.Errorf("the visit outlives the browser or goes to other sites' requests: %s", k)
			}
		}
	}
}

func TestWhatIsPasted(t *testing.T) {
	t.Parallel()
	for pasted, want := range map[string]string{
		"abc": "abc", "  abc\n": "abc", "https://x.org/f#abc": "abc", "https://x.org/f/abc": "abc", "": "", "https://x.org/f/": "",
	} {
		if got := tokenIn(pasted); got != want {
			t.Errorf("tokenIn(%q) = %q, want %q", pasted, got, want)
		}
	}
	for back, want := range map[string]string{
		"/clients/1?x=2": "/clients/1?x=2", "": "/", "//evil.org": "/", "https://evil.org": "/", "/\\evil.org": "/", "javascript:x": "/",
	} {
		if got := localPath(back); got != want {
			t.Errorf("localPath(%q) = %q, want %q", back, got, want)
		}
	}
}
