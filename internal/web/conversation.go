// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// conversationRoutes are what comes of a signal.
func (s *Server) conversationRoutes() []route {
	return []route{
		{"GET /sessions/{id}/conversation", staff, conversationPage},
		{"POST /sessions/{id}/conversation", staff, answerSignal},
	}
}

// conversationModel is the page on which a signal is talked over, and answered.
type conversationModel struct {
	sessionModel
	Prompts []promptView
	Choices []care.SignalChoice
	Typed   care.ConversationContent
}

// promptView are questions that may open a conversation about one thing.
type promptView struct {
	Title string
	Lines []string
}

// mostPrompts is how many questions there are for each.
const mostPrompts = 3

func (c *call) conversationModel(typed care.ConversationContent) (m conversationModel, err error) {
	m.sessionModel, err = c.sessionModel(c.id())
	if err != nil {
		return m, err
	}
	if !m.CanAsk {
		return m, care.Missing()
	}
	m.Verdict = verdictView{}
	if m.SessionView.Verdict.Kind != "" { // nothing is shown to who has still to guess
		m.Verdict = verdictWords(c.p, m.SessionView.Verdict, func(n int) string { return c.p.T("session.number_since", "N", n) })
	}
	m.Choices, m.Typed = care.SignalChoices(), typed
	m.Prompts = c.prompts(m.SessionView.Verdict)
	return m, nil
}

// prompts are those for what a verdict rests on, each once.
func (c *call) prompts(v alliance.Verdict) (out []promptView) {
	seen := map[string]bool{}
	add := func(about, title string) {
		if seen[about] {
			return
		}
		seen[about] = true
		p := promptView{Title: title}
		for n := 1; n <= mostPrompts; n++ {
			p.Lines = append(p.Lines, c.p.T(fmt.Sprintf("prompt.%s.%d", about, n)))
		}
		out = append(out, p)
	}
	for _, r := range v.Reasons {
		switch r.Code {
		case alliance.Tense:
			add("tension", c.p.T("prompt.tension"))
		case alliance.FlatMaximal:
			add("flat", c.p.T("prompt.flat"))
		case alliance.Fell, alliance.BelowCutoff:
			add(string(r.Dimension), c.p.T("dimension."+string(r.Dimension)))
		}
	}
	return out
}

func conversationPage(c *call) error {
	m, err := c.conversationModel(care.ConversationContent{})
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "conversation", m)
}

func answerSignal(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	f := c.r.PostForm
	typed := care.ConversationContent{Choice: care.SignalChoice(f.Get("choice")), Why: f.Get("why"), Said: f.Get("said"), Mine: f.Get("mine"), Agreed: f.Get("agreed"), Next: f.Get("next")}
	err := c.app().AnswerSignal(c.r.Context(), c.by, c.id(), typed)
	if err == nil {
		v, err := c.app().Session(c.r.Context(), c.by, c.id())
		if err != nil {
			return err
		}
		return c.redirect("/clients/" + string(v.Client.ID) + "#said")
	}
	if code := care.CodeOf(err); code != care.Invalid && code != care.Unavailable {
		return err
	}
	m, lookErr := c.conversationModel(typed)
	if lookErr != nil {
		return lookErr
	}
	return c.again("conversation", m, err)
}

// saidView is what came of one signal, in words.
type saidView struct {
	app.ConversationView
	Day, Verdict string
	Lines        []string // how what had fallen went on
}

func (c *call) said(v app.ClientView) (out []saidView) {
	for _, x := range v.Said {
		s := saidView{ConversationView: x, Day: c.p.Date(c.at(x.AtMillis))}
		if x.Shown.Asks() {
			s.Verdict = verdictWords(c.p, x.Shown, func(n int) string { return c.p.T("session.number_since", "N", n) }).Text
		}
		for _, y := range x.Since {
			var values []string
			for _, p := range y.Values {
				values = append(values, c.p.Number(p.Value, 1))
			}
			key := "said.since.none"
			switch {
			case y.Back:
				key = "said.since.back"
			case len(y.Values) > 0:
				key = "said.since.not_back"
			}
			s.Lines = append(s.Lines, c.p.T(key, "Dimension", c.p.T("dimension."+string(y.Dimension)), "Values", c.p.List(values), "From", c.p.Number(y.From, 1), "To", c.p.Number(y.To, 1)))
		}
		out = append(out, s)
	}
	return out
}
