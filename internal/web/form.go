// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// formRoutes are the pages of whoever answers by a link. Nothing on them names
// the practice, and no GET changes anything.
func (s *Server) formRoutes() []route {
	return []route{
		{"GET /f", anyone, openPage},
		{"GET /f/{token}", anyone, openPage},
		{"POST /f", anyone, openForm},
		{"GET /form", respondent, formPage},
		{"POST /form", respondent, sendForm},
		{"POST /form/part", respondent, lookAtPart},
		{"GET /form/sent", anyone, sentPage},
		{"POST /form/leave", anyone, leaveForm},
		{"GET /blank", anyone, blankPage},
	}
}

// openView is the page before the form; Token is empty when it is in the
// address's fragment, which no server ever sees, or still to be pasted.
type openView struct{ Token string }

// openPage has no effect, so that a program that only looks at links in mails
// does not use one up.
func openPage(c *call) error {
	return c.render(http.StatusOK, "form-open", openView{Token: c.r.PathValue("token")})
}

func openForm(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	var link app.Link
	err := c.guess(func() (err error) {
		link, err = c.app().OpenInvitation(c.r.Context(), tokenIn(c.r.PostForm.Get("token")))
		return err
	})
	if err != nil {
		return err
	}
	c.keepVisit(link)
	return c.redirect("/form")
}

// tokenIn finds the token in what somebody pasted: the code alone, or the whole
// link.
func tokenIn(pasted string) string {
	pasted = strings.TrimSpace(pasted)
	return pasted[strings.LastIndexAny(pasted, "#/")+1:]
}

// formModel is a form to be answered, or to be mended and sent again.
type formModel struct {
	app.FormView
	Title, Intro, Notice string
	Comment              *commentModel // nil: the form asks for none
	Items                []formItem
	Large                bool    // a child's form: one answer below the other, large
	Visit                care.ID // under which a browser keeps unsent answers apart from anybody else's
	At                   time.Time
	Asks                 bool   // about danger: what is chosen is looked at before it is sent
	Beside               bool   // marked before, and sent back to be mended
	Trial                string // where a form leads that is only looked at; empty in earnest
}

type commentModel struct{ Prompt, Text, Error string }

// newFormModel draws a form; typed is what had been sent before (nil at first)
// and wrong the messages by item.
func newFormModel(p *i18n.Printer, v app.FormView, typed url.Values, wrong map[string]string) formModel {
	in := v.Instrument
	m := formModel{
		FormView: v, Title: in.Title.In(v.Language), Intro: in.Intro.In(v.Language), Notice: in.Licence.Notice.In(v.Language),
		Items: formItems(p, in, v.Language, typed, wrong), At: time.UnixMilli(v.AtMillis).In(zoneOf(v.TimeZone)), Beside: typed.Get("beside") != "",
	}
	for _, a := range in.Ages {
		forThem := v.Help.Age == "" || v.Help.Age == care.Child // a form may be for children and for others
		m.Large = m.Large || a == instrument.Child && in.Informant == instrument.Client && forThem
	}
	if m.Large {
		m.enlarge(p)
	}
	if prompt := in.CommentPrompt.In(v.Language); prompt != "" {
		m.Comment = &commentModel{Prompt: prompt, Text: typed.Get("comment"), Error: wrong["comment"]}
	}
	return m
}

// enlarge makes it a form as children get it: each question by itself, with the way
// to the next, and read aloud.
func (m *formModel) enlarge(p *i18n.Printer) {
	m.Large = true
	for i := range m.Items {
		to := "send"
		if i+1 < len(m.Items) {
			to = m.Items[i+1].ID
		}
		m.Items[i].Onward = &nextItem{p.T("form.step", "Step", i+1, "Of", len(m.Items)), to}
	}
}

// together shows the items one below the other, as staff look at them.
func (m formModel) together() formModel {
	for i := range m.Items {
		m.Items[i].Onward = nil
	}
	return m
}

func formPage(c *call) error {
	v, err := c.app().NextForm(c.r.Context(), c.by)
	if isDone(err) {
		if c.cookie(receiptCookie) != "" {
			return c.redirect("/form/sent")
		}
		return c.alreadySent(http.StatusOK)
	}
	if err != nil {
		return err
	}
	c.p = i18n.For(v.Language)
	m := newFormModel(c.p, v, nil, nil)
	m.Visit, m.Asks = c.by.Invitation, app.AsksRisk(v.Instrument.ID)
	return c.render(http.StatusOK, "form", m)
}

// isDone reports whether nothing is left to be answered by this link.
func isDone(err error) bool {
	e, ok := errors.AsType[*care.Error](err)
	return ok && e.Key == "form.done"
}

func sendForm(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	sent := submissionOf(c.r.PostForm, c.by.Language)
	receipt, err := c.app().RecordRating(c.r.Context(), c.by, sent)
	if receipt.Risk {
		return c.helpNow(receipt, err == nil)
	}
	switch {
	case care.CodeOf(err) == care.Conflict:
		if _, err := c.app().NextForm(c.r.Context(), c.by); err == nil {
			return c.render(http.StatusConflict, "form-already", receiptView{More: true})
		}
		return c.alreadySent(http.StatusConflict)
	case care.CodeOf(err) == care.Invalid:
		return c.sendAgain(sent, err)
	case err != nil:
		return err
	}
	if receipt.More {
		return c.redirect("/form")
	}
	c.keepReceipt(receipt)
	if receipt.Work {
		return c.redirect("/form/work")
	}
	return c.redirect("/form/sent")
}

// helpNow is the page after an answer that spoke of danger: help first, then
// whatever comes next. It is the answer to the form itself, so that nothing has to
// be asked for again.
func (c *call) helpNow(r app.Receipt, kept bool) error {
	m := helpNowModel{HelpShown: r.Help, Told: r.Told, To: "/form"}
	if kept && !r.More {
		c.keepReceipt(r)
		m.To = "/form/sent"
		if r.Work {
			m.To = "/form/work"
		}
	}
	return c.render(http.StatusOK, "form-now", m)
}

// helpNowModel is that page; To is where it goes on.
type helpNowModel struct {
	app.HelpShown
	Told []string
	To   string
}

// lookAtPart looks at what is chosen so far in a form that asks about danger; the
// page shows its help where the answer is 200, and goes on where it is 204.
func lookAtPart(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	at, err := c.app().NoteRisk(c.r.Context(), c.by, submissionOf(c.r.PostForm, c.by.Language))
	if err != nil {
		return err
	}
	if at {
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// sendAgain shows the form with what had been chosen and what to mend. It keeps
// the submission's id, so that the answers still count once.
func (c *call) sendAgain(sent app.Submission, err error) error {
	v, nerr := c.app().NextForm(c.r.Context(), c.by)
	if nerr != nil && !isDone(nerr) {
		return nerr
	}
	e, ok := errors.AsType[*care.Error](err)
	if !ok || v.Instrument == nil || v.Instrument.ID != sent.Instrument {
		return err
	}
	v.Submission = sent.ID
	c.p = i18n.For(v.Language)
	wrong := map[string]string{e.Field: c.message(e)}
	m := newFormModel(c.p, v, c.r.PostForm, wrong)
	m.Visit, m.Asks = c.by.Invitation, app.AsksRisk(v.Instrument.ID)
	return c.refuse(http.StatusUnprocessableEntity, "form", m, err)
}

// receiptView is the page after the last form. It is kept in the browser for a
// few minutes and holds no answer.
type receiptView struct {
	Number   string    `json:"n"`
	AtMillis int64     `json:"t"`
	Readers  []string  `json:"r,omitempty"`
	Language string    `json:"l"`
	Zone     string    `json:"z,omitempty"`
	Help     string    `json:"h,omitempty"` // what the practice tells of help
	HelpIn   string    `json:"hl,omitempty"`
	Kiosk    bool      `json:"-"`
	More     bool      `json:"-"` // another form of the session waits
	At       time.Time `json:"-"`
}

const receiptLasts = 10 * time.Minute

func (c *call) keepReceipt(r app.Receipt) {
	v := receiptView{Number: shortNumber(r.ID), AtMillis: r.AtMillis, Readers: r.Readers, Language: c.p.Lang(), Zone: r.TimeZone, Help: r.Help.Text, HelpIn: r.Help.Language}
	data, err := json.Marshal(v)
	if err != nil {
		return // cannot happen with these types; the page then says less
	}
	c.setCookie(receiptCookie, base64.RawURLEncoding.EncodeToString(data), c.s.cfg.Now().Add(receiptLasts), http.SameSiteStrictMode)
}

// shortNumber is enough of a response's id to find it again with its day.
func shortNumber(id care.ID) string {
	s := strings.ToUpper(strings.ReplaceAll(string(id), "-", ""))
	if len(s) < 8 {
		return s
	}
	s = s[len(s)-8:]
	return s[:4] + "-" + s[4:]
}

// sentPage says that the answers are kept. On a device handed to a client it
// also ends the visit, so that nothing can be reached by going back.
func sentPage(c *call) error {
	var v receiptView
	data, err := base64.RawURLEncoding.DecodeString(c.cookie(receiptCookie))
	if err != nil || json.Unmarshal(data, &v) != nil || v.Number == "" {
		return care.Missing()
	}
	if i18n.Known(v.Language) {
		c.p = i18n.For(v.Language)
	}
	v.At = time.UnixMilli(v.AtMillis).In(zoneOf(v.Zone))
	if v.Kiosk, err = c.inKiosk(); err != nil {
		return err
	}
	if v.Kiosk {
		if err := c.endVisit(); err != nil {
			return err
		}
	}
	return c.render(http.StatusOK, "form-sent", v)
}

// alreadySent is for a second tab, or a link that has done its work.
func (c *call) alreadySent(status int) error {
	kiosk, err := c.inKiosk()
	if err != nil {
		return err
	}
	return c.render(status, "form-already", receiptView{Kiosk: kiosk})
}

// leaveForm ends the visit and goes where nothing tells what had been here.
// Whoever has no visit any more may leave as well.
func leaveForm(c *call) error {
	locked, err := c.inKiosk()
	if err != nil {
		return err
	}
	if err := c.endVisit(); err != nil {
		return err
	}
	c.dropCookie(receiptCookie)
	if locked {
		return c.redirect("/kiosk")
	}
	return c.redirect("/blank")
}

// endVisit makes the browser's visit invalid, on the server and here.
func (c *call) endVisit() error {
	visit := c.cookie(visitCookie)
	if visit == "" {
		return nil
	}
	by, err := c.app().Respondent(c.r.Context(), visit)
	if err == nil {
		err = c.app().EndVisit(c.r.Context(), by)
	}
	if err := ignoreMissing(err); err != nil {
		return err
	}
	c.dropCookie(visitCookie)
	return nil
}

// blankPage is a page that says nothing about us: today's date.
func blankPage(c *call) error {
	return c.render(http.StatusOK, "form-blank", c.s.cfg.Now())
}
