// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// commonRoutes are the pages that belong to no feature: the ways in and out,
// the language, the files a page loads, and whether the server is well.
func (s *Server) commonRoutes() []route {
	return []route{
		{"/", anyone, nowhere},
		{"GET /{$}", anyone, home},
		{"GET /setup", anyone, setupPage},
		{"POST /setup", anyone, setup},
		{"GET /signin", anyone, signInPage},
		{"POST /signin", anyone, signIn},
		{"GET /signin/code", anyone, codePage},
		{"POST /signin/code", anyone, sendCode},
		{"POST /signout", kiosk, signOut},
		{"GET /join/{token}", anyone, joinPage},
		{"POST /join/{token}", anyone, join},
		{"GET /demo/{token}", anyone, demo},
		{"GET /kiosk", kiosk, kioskPage},
		{"POST /kiosk", kiosk, leaveKiosk},
		{"POST /language", anyone, changeLanguage},
		{"GET /health", anyone, health},
		{"GET /assets/{file}", anyone, serveAsset},
	}
}

// language is the language asked for before it is known who asks: chosen on a
// page earlier, else what the browser prefers. admit puts a person's own
// language in its place.
func (s *Server) language(c *call) string {
	if lang := c.cookie(langCookie); i18n.Known(lang) {
		return lang
	}
	return i18n.Match(c.r.Header.Get("Accept-Language"))
}

// goTo is an answer by an error: not here, but there.
type goTo string

func (g goTo) Error() string { return "go to " + string(g) }

// admit lets in who may ask for a route, sets who acts and the language they
// read, or says with an error where to go instead.
func (c *call) admit(who audience) error {
	switch who {
	case staff, kiosk:
		return c.admitStaff(who)
	case consenter:
		return c.admitConsenter()
	case respondent:
		by, err := c.app().Respondent(c.r.Context(), c.cookie(visitCookie))
		if err != nil {
			return err
		}
		c.by = by
		if i18n.Known(by.Language) {
			c.p = i18n.For(by.Language)
		}
	}
	return nil
}

// unsavedMark in an address says that something was typed or sent when nobody was
// signed in any more: it is lost, and the next page says so.
const unsavedMark = "unsaved"

func (c *call) admitStaff(who audience) error {
	me, err := c.app().Authenticate(c.r.Context(), c.cookie(staffCookie))
	if care.CodeOf(err) == care.NotFound {
		if (c.r.Method == http.MethodPost && c.r.URL.Path != "/signout") || c.r.URL.Query().Has(unsavedMark) {
			return goTo("/signin?" + unsavedMark + "=1")
		}
		return goTo("/signin")
	}
	if err != nil {
		return err
	}
	if me.Kiosk && who != kiosk {
		return goTo("/kiosk")
	}
	c.me, c.by = me, me.Actor
	if i18n.Known(me.Actor.Language) {
		c.p = i18n.For(me.Actor.Language)
	}
	if who == kiosk {
		return nil
	}
	c.use()
	return c.hold()
}

// parse reads a posted form; one that is too long is refused as invalid.
func (c *call) parse() error {
	err := c.r.ParseForm()
	if err == nil {
		return nil
	}
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return &care.Error{Code: care.Invalid, Key: "error.too_long", Err: err}
	}
	return &care.Error{Code: care.Invalid, Key: "error.invalid", Err: err}
}

// nowhere answers every address that is not ours.
func nowhere(*call) error { return care.Missing() }

// home sends whoever comes to the front door where they can go on.
func home(c *call) error {
	empty, err := c.app().NeedsSetUp(c.r.Context())
	if err != nil {
		return err
	}
	if empty {
		return c.redirect("/setup")
	}
	if err := c.admit(staff); err != nil {
		return err
	}
	return c.redirect("/today")
}

// changeLanguage remembers the language in this browser, and for a member of
// staff with their account.
func changeLanguage(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	lang := c.r.PostForm.Get("lang")
	if !i18n.Known(lang) {
		return care.Bad("lang", "error.invalid")
	}
	c.setCookie(langCookie, lang, c.s.cfg.Now().AddDate(1, 0, 0), http.SameSiteLaxMode)
	if token := c.cookie(staffCookie); token != "" {
		me, err := c.app().Authenticate(c.r.Context(), token)
		switch {
		case err == nil:
			err = c.app().SetLanguage(c.r.Context(), me.Actor, lang)
			if err != nil {
				return err
			}
		case care.CodeOf(err) != care.NotFound:
			return err
		}
	}
	return c.redirect(localPath(c.r.PostForm.Get("back")))
}

// localPath is back when it is a path of this server, else "/": a form must not
// send anybody elsewhere.
func localPath(back string) string {
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\r\n\t") {
		return "/"
	}
	return back
}

// wellness remembers for a second whether the server is well: asking costs a
// durable write, and anybody may ask.
type wellness struct {
	mu     sync.Mutex
	asked  time.Time
	err    error
	backup string
}

func (w *wellness) ask(now time.Time, well func() (string, error)) (backup string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked.IsZero() || now.Sub(w.asked) >= time.Second || now.Before(w.asked) {
		w.asked = now
		w.backup, w.err = well()
	}
	return w.backup, w.err
}

// health says whether an answer could be kept now, and whether backups are made;
// monitoring asks it. A late backup or a damaged database keeps nobody from
// answering: the status stays 200, and the words tell.
func health(c *call) error {
	status, word := http.StatusOK, "ok"
	says := map[string]string{}
	if err := c.app().Damage(); err != nil {
		word = "damaged"
		if n, ok := errors.AsType[care.Unopened](err); ok {
			says["unopened"] = strconv.Itoa(int(n))
		}
	}
	backup, err := c.s.pulse.ask(c.s.cfg.Now(), func() (string, error) {
		if err := c.app().Health(c.r.Context()); err != nil {
			return "", err
		}
		return c.app().BackupWord(c.r.Context())
	})
	if err != nil {
		c.s.cfg.Log.LogAttrs(c.r.Context(), levelOf(err), "not well", errorAttr(err))
		status, word = http.StatusServiceUnavailable, "unavailable"
		c.w.Header().Set("Retry-After", "10")
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	says["status"], says["backup"] = word, cmp.Or(backup, "unknown")
	if err := json.NewEncoder(c.w).Encode(says); err != nil {
		return fmt.Errorf("health: %w", err)
	}
	return nil
}

// serveAsset gives one of our files. An address with the file's version may be
// kept for a year, because a changed file gets another address.
func serveAsset(c *call) error {
	a, ok := c.s.pages.assets[c.r.PathValue("file")]
	if !ok || a.kind == "" {
		return care.Missing()
	}
	h := c.w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", `"`+a.version+`"`)
	h.Set("Cache-Control", "no-cache")
	if c.r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(c.w, c.r, "", time.Time{}, strings.NewReader(string(a.data)))
	return nil
}
