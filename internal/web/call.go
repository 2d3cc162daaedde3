// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// call is one request on its way: what a handler needs, and no more.
type call struct {
	s  *Server
	w  http.ResponseWriter
	r  *http.Request
	me app.Me     // set for staff and kiosk
	by care.Actor // the acting person; a respondent's for respondent routes
	p  *i18n.Printer
}

// app gives the use cases.
func (c *call) app() *app.App { return c.s.app }

// zone is the practice's time zone, UTC when unknown.
func (c *call) zone() *time.Location {
	return zoneOf(c.me.TimeZone)
}

// zones are the time zones read so far: reading one is work that a list of
// hundreds of dates would do hundreds of times.
var zones sync.Map

func zoneOf(name string) *time.Location {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC // not remembered: an unknown name costs memory only once it is known
	}
	zones.Store(name, loc)
	return loc
}

// redirect answers 303, so that a reload never sends a form again.
func (c *call) redirect(path string) error {
	http.Redirect(c.w, c.r, path, http.StatusSeeOther)
	return nil
}

// handle admits the audience of a route, calls it and turns its error into a page.
func (s *Server) handle(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{s: s, w: w, r: r}
		c.p = i18n.For(s.language(c))
		defer c.recovered()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody(rt.who, r))
		if r.ContentLength != 0 && r.URL.Path != importPath {
			// Whoever sends a form by the byte does not keep its memory for long.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.bodyLasts)) // no deadline: a test's recorder
		}
		if err := c.admit(rt.who); err != nil {
			c.fail(err)
			return
		}
		err := rt.do(c)
		if isWaiting(err) {
			err = c.waiting()
		}
		if err != nil {
			c.noteRefusal(err)
			c.fail(err)
		}
	}
}

// noteRefusal keeps that a member of staff was refused something; the page they
// get is the same whether it exists or not.
func (c *call) noteRefusal(err error) {
	code := care.CodeOf(err)
	if !c.by.IsStaff() || code != care.NotFound && code != care.Forbidden {
		return
	}
	if err := c.app().NoteRefusal(c.r.Context(), c.by, c.id()); err != nil {
		c.log(levelOf(err), err, "")
	}
}

// recovered turns a panic into the page of a fault of ours. Only what the runtime
// says of it is logged: any other value might hold a person's words.
func (c *call) recovered() {
	switch x := recover().(type) {
	case nil:
	case runtime.Error:
		c.fail(fmt.Errorf("panic: %w\n%s", x, debug.Stack()))
	default:
		if x == http.ErrAbortHandler { //nolint:errorlint // a sentinel that is panicked with as it is
			panic(x)
		}
		c.fail(fmt.Errorf("panic with a %T\n%s", x, debug.Stack()))
	}
}

const importPath = "/import"

// bodyLasts is how long a form may be on its way: 64 KiB at 2.5 KB a second.
const bodyLasts = 30 * time.Second

// maxBody bounds what a form may send: less where nobody was asked who they are,
// more for an import's file.
func maxBody(who audience, r *http.Request) int64 {
	switch {
	case r.URL.Path == importPath:
		return 64 << 20
	case r.URL.Path == "/publish" || strings.HasPrefix(r.URL.Path, "/library/"):
		return care.GrantFileBytes + 256<<10
	case strings.HasPrefix(r.URL.Path, "/drafts/"):
		return 512 << 10
	case who == anyone:
		return 16 << 10
	}
	return 64 << 10
}
