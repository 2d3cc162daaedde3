// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"time"

	qrcode "github.com/skip2/go-qrcode"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// sessionModel is the page at the end of a session: ask, rate, guess, note.
type sessionModel struct {
	app.SessionView
	When       string
	Verdict    verdictView
	QR         template.URL // shown once, when a link was just made
	Link       string
	LinkFor    string // the carer whose link it is; empty: the client
	Plain      string
	Until      string
	Mailed     bool
	Already    bool // the actor's form had been sent before, from another page
	Note       string
	PIN        string
	CarerLines []carerLine
	// RestingNames are the forms that are not asked this time.
	RestingNames []string
}

func (c *call) sessionModel(id care.ID) (sessionModel, error) {
	v, err := c.app().Session(c.r.Context(), c.by, id)
	if err != nil {
		return sessionModel{}, err
	}
	m := sessionModel{SessionView: v, When: c.p.Weekday(c.at(v.Session.AtMillis)) + ", " + c.p.DateTime(c.at(v.Session.AtMillis))}
	m.Client.Label = c.nameOf(v.Client.Label, v.Client.ID)
	for _, x := range v.Carers {
		m.CarerLines = append(m.CarerLines, c.carerLine(x))
	}
	for _, f := range v.Resting {
		m.RestingNames = append(m.RestingNames, f.Name.In(c.p.Lang()))
	}
	if v.Asked.ClientDone > 0 && !v.Asked.Hidden && v.Verdict.Kind != "" {
		m.Verdict = verdictWords(c.p, v.Verdict, func(n int) string { return c.p.T("session.number_since", "N", n) })
	}
	return m, nil
}

func sessionPage(c *call) error {
	m, err := c.sessionModel(c.id())
	if err != nil {
		return err
	}
	m.Mailed, m.Already = c.r.URL.Query().Get("mailed") != "", c.r.URL.Query().Get("already") != ""
	return c.render(http.StatusOK, "session", m)
}

// sessionAgain shows the session's page with what was refused.
func (c *call) sessionAgain(err error, fill func(*sessionModel)) error {
	if code := care.CodeOf(err); code != care.Invalid && code != care.Unavailable {
		return err
	}
	m, lookErr := c.sessionModel(c.id())
	if lookErr != nil {
		return lookErr
	}
	if fill != nil {
		fill(&m)
	}
	status := http.StatusUnprocessableEntity
	if care.CodeOf(err) == care.Unavailable {
		status = http.StatusServiceUnavailable
	}
	return c.refuse(status, "session", m, err)
}

// invite shows a new link at once: it is in no address of ours and is not shown
// again.
func invite(c *call) error {
	l, err := c.app().Invite(c.r.Context(), c.by, c.id())
	if err != nil {
		return c.sessionAgain(err, nil)
	}
	return c.showLink(l, "")
}

// showLink shows the session's page with a link, of the client or of a carer.
func (c *call) showLink(l app.Link, person care.ID) error {
	m, err := c.sessionModel(c.id())
	if err != nil {
		return err
	}
	for _, x := range m.Carers {
		if x.Carer.ID == person {
			m.LinkFor = c.carerName(x.Carer)
		}
	}
	m.Link, m.Plain = c.s.cfg.BaseURL+"/f#"+l.Token, c.s.cfg.BaseURL+"/f/"+l.Token
	m.Until = c.p.DateTime(c.at(l.Expires))
	if m.QR, err = qr(m.Link); err != nil {
		return err
	}
	return c.render(http.StatusOK, "session", m)
}

// qr draws a text as a code to be scanned.
func qr(text string) (template.URL, error) {
	png, err := qrcode.Encode(text, qrcode.Medium, 480)
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png)), err //nolint:gosec // our own picture
}

func mailInvitation(c *call) error {
	if err := c.app().MailInvitation(c.r.Context(), c.by, c.id()); err != nil {
		return c.sessionAgain(err, nil)
	}
	return c.redirect("/sessions/" + string(c.id()) + "?mailed=1")
}

func startKiosk(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	visit, err := c.app().StartKiosk(c.r.Context(), c.by, c.id(), c.r.PostForm.Get("pin"))
	if err != nil {
		return c.sessionAgain(err, nil)
	}
	c.keepVisit(visit)
	return c.redirect("/form")
}

func (c *call) sessionDo(err error) error {
	if err != nil {
		return c.sessionAgain(err, nil)
	}
	return c.redirect("/sessions/" + string(c.id()))
}

func holdSession(c *call) error { return c.sessionDo(c.app().HoldSession(c.r.Context(), c.by, c.id())) }
func reviewSession(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	return c.sessionDo(c.app().ReviewSession(c.r.Context(), c.by, c.id(), c.r.PostForm.Get("review") != "no"))
}

func missSession(c *call) error { return c.sessionDo(c.app().MissSession(c.r.Context(), c.by, c.id())) }

func addNote(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	text := c.r.PostForm.Get("note")
	if err := c.app().AddNote(c.r.Context(), c.by, c.id(), text); err != nil {
		return c.sessionAgain(err, func(m *sessionModel) { m.Note = text })
	}
	return c.redirect(localBack(c, "/sessions/"+string(c.id())))
}

// localBack is where a form asked to go on to, if that is a page of ours.
func localBack(c *call, otherwise string) string {
	if back := localPath(c.r.PostForm.Get("back")); back != "/" {
		return back
	}
	return otherwise
}

func reveal(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	if err := c.app().Reveal(c.r.Context(), c.by, c.id()); err != nil {
		return err
	}
	return c.redirect(localBack(c, "/sessions/"+string(c.id())))
}

// addSession starts a session now, or plans one.
func addSession(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	if c.r.PostForm.Get("when") != "later" {
		id, err := c.app().StartSession(c.r.Context(), c.by, c.id())
		if err != nil {
			return err
		}
		return c.redirect("/sessions/" + string(id))
	}
	typed := c.r.PostForm.Get("at")
	at, err := time.ParseInLocation("2006-01-02T15:04", typed, c.zone())
	if err != nil {
		return c.planAgain(typed, care.Bad("at", "session.when_bad"))
	}
	if _, err := c.app().ScheduleSession(c.r.Context(), c.by, c.id(), at.UnixMilli()); err != nil {
		return c.planAgain(typed, err)
	}
	return c.redirect(localBack(c, "/today"))
}

// planAgain shows the client's page with the day and time that were refused.
func (c *call) planAgain(typed string, err error) error {
	client := care.ID(c.r.PostForm.Get("client"))
	if care.CodeOf(err) != care.Invalid || client == "" {
		return err
	}
	v, lookErr := c.app().ClientPage(c.r.Context(), c.by, client, c.id())
	if lookErr != nil {
		return lookErr
	}
	m := c.newest(c.clientModel(v))
	m.At = typed
	return c.again("client", m, err)
}

// kinds are the therapist's own forms, by the last part of their address.
var kinds = map[string]instrument.Kind{"rate": instrument.Alliance, "predict": instrument.Prediction, "process": instrument.Process}

func ownForm(which string) func(*call) error {
	return func(c *call) error {
		v, err := c.app().OwnForm(c.r.Context(), c.by, c.id(), kinds[which])
		if isDone(err) {
			return c.redirect("/sessions/" + string(c.id()))
		}
		if err != nil {
			return err
		}
		return c.render(http.StatusOK, "ownform", newFormModel(c.p, v, nil, nil))
	}
}

func recordOwn(which string) func(*call) error {
	return func(c *call) error {
		if err := c.parse(); err != nil {
			return err
		}
		sent := submissionOf(c.r.PostForm, c.p.Lang())
		sent.Session = c.id()
		_, err := c.app().RecordRating(c.r.Context(), c.by, sent)
		switch care.CodeOf(err) {
		case care.Invalid:
			v, lookErr := c.app().OwnForm(c.r.Context(), c.by, c.id(), kinds[which])
			if lookErr != nil {
				return lookErr
			}
			return c.sendOwnAgain(v, sent, err)
		case care.Conflict:
			return c.redirect("/sessions/" + string(c.id()) + "?already=1")
		case "":
			return c.redirect("/sessions/" + string(c.id()))
		}
		return err
	}
}

// sendOwnAgain shows the therapist's form with what had been chosen.
func (c *call) sendOwnAgain(v app.FormView, sent app.Submission, err error) error {
	var e *care.Error
	if !errors.As(err, &e) {
		return err
	}
	v.Submission = sent.ID
	return c.refuse(http.StatusUnprocessableEntity, "ownform", newFormModel(c.p, v, c.r.PostForm, map[string]string{e.Field: c.message(e)}), err)
}
