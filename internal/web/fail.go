// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

// errorView is the page that says what went wrong and what to do.
type errorView struct {
	Title, Text string
	Reference   string // with which an operator finds the line in the log
	Back        string // where to go on; empty when there is no way on
	Respondent  bool   // somebody answering by a link, who knows nothing of us
	Kiosk       bool   // on a device to be given back
}

// statusOf is the HTTP status of each code.
var statusOf = map[care.Code]int{
	care.Invalid:     http.StatusUnprocessableEntity,
	care.NotFound:    http.StatusNotFound,
	care.Forbidden:   http.StatusForbidden,
	care.Conflict:    http.StatusConflict,
	care.Unavailable: http.StatusServiceUnavailable,
	care.Internal:    http.StatusInternalServerError,
}

// fail turns an error into a page. Only faults of ours are logged in full; no
// line ever holds an address, because an address may hold a token.
func (c *call) fail(err error) {
	if to, ok := errors.AsType[goTo](err); ok {
		_ = c.redirect(string(to))
		return
	}
	e, ok := errors.AsType[*care.Error](err)
	if !ok {
		e = &care.Error{Code: care.Internal, Err: err}
	}
	if statusOf[e.Code] == 0 {
		e = &care.Error{Code: care.Internal, Key: e.Key, Err: err}
	}
	v := errorView{Title: c.p.T("error." + string(e.Code) + ".title"), Text: c.message(e), Back: "/", Respondent: c.forRespondent()}
	if v.Respondent {
		v.Back = ""
		// When even this cannot be known, the page is still worth showing.
		v.Kiosk, _ = c.inKiosk()
		if e.Code == care.NotFound {
			v.Title, v.Text = c.p.T("form.closed.title"), c.p.T("form.closed.text")
			if c.r.Pattern == "POST /form" {
				v.Text = c.p.T("form.closed.unsent") + " " + v.Text
			}
		}
	}
	switch e.Code {
	case care.Internal:
		v.Text = c.p.T("error.internal")
		if e.Key == "error.tampered" && !v.Respondent {
			c.tampered(&v, e)
		}
		v.Reference = reference()
		c.log(slog.LevelError, err, v.Reference)
	case care.Unavailable:
		if isThrottled(e) { // noted once, when it began
			c.w.Header().Set("Retry-After", "900")
			break
		}
		c.w.Header().Set("Retry-After", "10")
		c.log(slog.LevelWarn, err, "")
	}
	status := statusOf[e.Code]
	if isThrottled(e) {
		status = http.StatusTooManyRequests
	}
	if err := c.render(status, "error", v); err != nil {
		c.log(slog.LevelError, err, v.Reference)
		http.Error(c.w, c.p.T("error.internal"), http.StatusInternalServerError)
	}
}

func isThrottled(err error) bool {
	e, ok := errors.AsType[*care.Error](err)
	return ok && e.Key == "error.throttled"
}

// forRespondent reports whether the page is for somebody without an account.
func (c *call) forRespondent() bool {
	_, path, _ := strings.Cut(c.r.Pattern, " ")
	return path == "/f" || path == "/f/{token}" || strings.HasPrefix(path, "/form")
}

// log writes what an operator needs: the route as it stands in the table, the
// reference shown to the person, and the chain of causes.
func (c *call) log(level slog.Level, err error, ref string) {
	attrs := []slog.Attr{slog.String("route", c.r.Pattern), errorAttr(err)}
	if ref != "" {
		attrs = append(attrs, slog.String("reference", ref))
	}
	c.s.cfg.Log.LogAttrs(c.r.Context(), level, "request failed", attrs...)
}

func errorAttr(err error) slog.Attr { return slog.String("error", err.Error()) }

func levelOf(err error) slog.Level {
	if care.CodeOf(err) == care.Internal {
		return slog.LevelError
	}
	return slog.LevelWarn
}

// reference is short enough to be read out on the telephone.
func reference() string { return rand.Text()[:8] }

// ignoreMissing is err, or nil when it only says that there is no such record.
func ignoreMissing(err error) error {
	if care.CodeOf(err) == care.NotFound {
		return nil
	}
	return err
}
