// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/chart"
	"github.com/entente-project/entente/internal/i18n"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// view is what every template is given.
type view struct {
	Me     app.Me
	Path   string
	V      any               // the page's own typed model
	Errors map[string]string // field name (or item id) to message; "" for the whole form

	SecondFrom string // from which day on whoever reads this needs a second factor, "" for no matter
}

// pages are the parsed templates by language and name, and the files they load.
type pages struct {
	byLang map[string]map[string]page
	assets map[string]asset
	policy string // the content security policy of a page with its style inside
}

type page struct {
	tmpl   *template.Template
	layout string
}

type asset struct {
	data    []byte
	version string // the first digits of its hash, part of its address
	kind    string // content type
}

// layoutMark begins a template that does not want the staff's layout:
//
//	{{/* layout: plain */}}  a page without navigation
//	{{/* layout: form */}}   a page for whoever answers: neutral, its style inside
const layoutMark = "{{/* layout: "

// loadPages reads every template once for each language. A file layout-NAME is
// a layout, part-NAME a piece that all pages may use, any other file a page
// that defines "title", "main" and, if it needs one, "head".
func loadPages() (pages, error) {
	ps := pages{byLang: map[string]map[string]page{}}
	var err error
	if ps.assets, err = ps.loadAssets(); err != nil {
		return pages{}, err
	}
	inside := ps.innerStyle()
	sum := sha256.Sum256([]byte(inside))
	hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	ps.policy = strings.Replace(policy, "style-src 'self'", "style-src "+hash, 1)

	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return pages{}, fmt.Errorf("templates: %w", err)
	}
	for _, lang := range i18n.Languages() {
		ps.byLang[lang] = map[string]page{}
		funcs := ps.funcs(i18n.For(lang), template.CSS(inside)) //nolint:gosec // our own file
		for _, name := range names {
			base := strings.TrimSuffix(path.Base(name), ".html")
			if strings.HasPrefix(base, "layout-") || strings.HasPrefix(base, "part-") {
				continue
			}
			if ps.byLang[lang][base], err = loadPage(name, funcs); err != nil {
				return pages{}, fmt.Errorf("template %s: %w", base, err)
			}
		}
	}
	return ps, nil
}

func loadPage(name string, funcs template.FuncMap) (page, error) {
	text, err := templateFiles.ReadFile(name)
	if err != nil {
		return page{}, err
	}
	layout := "staff"
	if rest, ok := strings.CutPrefix(string(text), layoutMark); ok {
		layout, _, _ = strings.Cut(rest, " ")
	}
	base := "layout-" + layout + ".html"
	t, err := template.New(base).Funcs(funcs).Option("missingkey=zero").
		ParseFS(templateFiles, "templates/"+base, "templates/part-*.html", name)
	if err != nil {
		return page{}, err
	}
	if t.Lookup("head") == nil {
		t = template.Must(t.Parse(`{{define "head"}}{{end}}`))
	}
	return page{tmpl: t, layout: layout}, nil
}

// funcs are what templates may call, bound to one language.
func (ps *pages) funcs(p *i18n.Printer, inside template.CSS) template.FuncMap {
	return template.FuncMap{
		"T": p.T, "N": p.N, "number": p.Number, "list": func(names []string) string { return p.List(whoAll(p, names)) }, "lang": p.Lang,
		"date": p.Date, "dateShort": p.DateShort, "clock": p.Clock, "dateTime": p.DateTime, "weekday": p.Weekday,
		"languages": i18n.Languages,
		"style":     func() template.CSS { return inside },
		"asset": func(name string) (string, error) {
			a, ok := ps.assets[name]
			if !ok {
				return "", fmt.Errorf("no asset %q", name)
			}
			return "/assets/" + name + "?v=" + a.version, nil
		},
	}
}

func (ps *pages) loadAssets() (map[string]asset, error) {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	out := map[string]asset{}
	for _, e := range entries {
		data, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("assets: %w", err)
		}
		switch e.Name() {
		case "form.js":
			data = []byte(lean(string(data)))
		case "staff.css":
			data = append(data, chart.CSS()...)
		}
		sum := sha256.Sum256(data)
		out[e.Name()] = asset{data: data, version: hex.EncodeToString(sum[:4]), kind: kinds[path.Ext(e.Name())]}
	}
	ps.assets = out
	inside := ps.innerStyle()
	for name, css := range map[string]string{
		"inside.css":       inside,
		"inside-dark.css":  strings.NewReplacer("prefers-color-scheme:dark", "min-width:0", "color-scheme:light dark", "color-scheme:dark").Replace(inside),
		"inside-light.css": strings.NewReplacer("(prefers-color-scheme:dark)", "not all", "color-scheme:light dark", "color-scheme:light").Replace(inside),
	} {
		sum := sha256.Sum256([]byte(css))
		out[name] = asset{data: []byte(css), version: hex.EncodeToString(sum[:4]), kind: kinds[".css"]}
	}
	return out, nil
}

// innerStyle is the style of a page that carries it inside.
func (ps *pages) innerStyle() string {
	shared, _, _ := strings.Cut(string(ps.assets["base.css"].data), notInside)
	css := shared + string(ps.assets["form.css"].data)
	for {
		before, rest, ok := strings.Cut(css, "/*")
		if !ok {
			return joined(css)
		}
		_, after, _ := strings.Cut(rest, "*/")
		css = before + after
	}
}

// notInside ends the part of base.css that a client's form carries.
const notInside = "/* --- from here on not inside a client's form --- */"

// lean is a script without its comment lines, blank lines and indentation,
// because a slow phone pays for each byte.
func lean(js string) string {
	var out strings.Builder
	for line := range strings.Lines(js) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

func joined(css string) string {
	var out strings.Builder
	for line := range strings.Lines(css) {
		out.WriteString(strings.TrimSpace(line))
	}
	return out.String()
}

// render writes the page name with its typed model, or returns the reason why it
// could not, with nothing written.
func (c *call) render(status int, name string, v any) error {
	return c.write(status, name, view{Me: c.me, Path: c.r.URL.Path, V: v, SecondFrom: c.secondFrom()})
}

// again shows a form once more after a use case refused it: status 422, the
// message at its field, and v holding what was typed. Any other error is
// returned as it is.
func (c *call) again(name string, v any, err error) error {
	if care.CodeOf(err) != care.Invalid {
		return err
	}
	return c.refuse(http.StatusUnprocessableEntity, name, v, err)
}

// refuse shows a page with the message of err at the field it names.
func (c *call) refuse(status int, name string, v any, err error) error {
	e, ok := errors.AsType[*care.Error](err)
	if !ok {
		return err
	}
	field := map[string]string{e.Field: c.message(e)}
	return c.write(status, name, view{Me: c.me, Path: c.r.URL.Path, V: v, Errors: field, SecondFrom: c.secondFrom()})
}

// message is the sentence for an error, in the reader's language.
func (c *call) message(e *care.Error) string {
	kv := make([]any, 0, 2*len(e.Args))
	for k, v := range e.Args {
		kv = append(kv, k, v)
	}
	if c.p.Has(e.Key) {
		return c.p.T(e.Key, kv...)
	}
	return c.p.T("error." + string(e.Code))
}

// write renders into memory first, so that a fault in a template never leaves
// half a page behind.
func (c *call) write(status int, name string, v view) error {
	pg, ok := c.s.pages.byLang[c.p.Lang()][name]
	if !ok {
		return fmt.Errorf("no page %q in %q", name, c.p.Lang())
	}
	var buf bytes.Buffer
	if err := pg.tmpl.Execute(&buf, v); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	h.Set("Content-Language", c.p.Lang())
	h.Set("Vary", "Cookie, Accept-Language")
	// With no-referrer a browser sends "Origin: null" along with our own forms,
	// and over plain http (a practice's own network) nothing else tells that
	// they are ours. No other site is told anything by this either.
	h.Set("Referrer-Policy", "same-origin")
	if pg.layout == "form" {
		h.Set("Content-Security-Policy", c.s.pages.policy)
	}
	c.w.WriteHeader(status)
	// The reader may have gone; there is nobody left to tell.
	_, _ = buf.WriteTo(c.w)
	return nil
}
