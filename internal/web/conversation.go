// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// conversationRoutes are what comes of a signal.
func (s *Server) conversationRoutes() []route {
	return []route{
		{"GET /sessions/{id}/conversation", staff, conversationPage},
		{"POST /sessions/{id}/conversation", staff, answerSignal},
		{"GET /supervision", staff, supervisionPage},
		{"GET /clients/{id}/together", staff, togetherPage},
		{"GET /clients/{id}/review", staff, reviewPage},
	}
}

// conversationModel is the page on which a signal is talked over, and answered.
type conversationModel struct {
	sessionModel
	Prompts []promptView
	Markers []markerView
	Choices []care.SignalChoice
	Typed   care.ConversationContent
	Version int // of the prompts
}

// markerView is a kind of strain with questions of its own.
type markerView struct {
	care.StrainMarker
	Lines []string
}

// promptView are questions that may open a conversation about one thing.
type promptView struct {
	Title string
	Lines []string
}

// PromptsVersion counts the wordings of the prompts; docs/prompts.md says what each
// rests on and who has read it.
const PromptsVersion = 2

// mostPrompts is how many questions there are for each.
const mostPrompts = 3

// young are the ages whose prompts are worded for them.
func young(age care.AgeBand) string {
	switch age {
	case care.Child:
		return "child."
	case care.Adolescent:
		return "young."
	}
	return ""
}

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
	m.Choices, m.Typed, m.Version = care.SignalChoices(), typed, PromptsVersion
	m.Prompts = c.prompts(m.SessionView.Verdict, m.Client.AgeBand)
	if undone, err := c.undone(m.SessionView); err != nil {
		return m, err
	} else if undone {
		m.Prompts = append(m.Prompts, promptView{c.p.T("prompt.undone"), c.promptLines("undone")})
	}
	m.Markers = c.markers()
	return m, nil
}

// undone says that the tasks fell while one that was agreed on was not done.
func (c *call) undone(v app.SessionView) (bool, error) {
	if !slices.ContainsFunc(v.Verdict.Reasons, func(r alliance.Reason) bool { return r.Dimension == alliance.Tasks }) {
		return false, nil
	}
	w, err := c.app().Work(c.r.Context(), c.by, v.Client.ID, v.Session.Episode)
	return slices.ContainsFunc(w.Tasks, func(x app.WorkItem) bool { return x.Open() && (x.Done == care.NotDone || x.Done == care.DonePartly) }), err
}

func (c *call) markers() (out []markerView) {
	for _, k := range care.StrainMarkers() {
		v := markerView{StrainMarker: k}
		if k == care.Withdrawal || k == care.Confrontation {
			v.Lines = c.promptLines(string(k))
		}
		out = append(out, v)
	}
	return out
}

func (c *call) promptLines(about string) (out []string) {
	for n := 1; n <= mostPrompts; n++ {
		out = append(out, c.p.T(fmt.Sprintf("prompt.%s.%d", about, n)))
	}
	return out
}

// prompts are those for what a verdict rests on, each once. With the young what
// fell is asked about as a whole, and in words of their age.
func (c *call) prompts(v alliance.Verdict, age care.AgeBand) (out []promptView) {
	seen := map[string]bool{}
	add := func(about, title string) {
		if !seen[about] {
			seen[about] = true
			out = append(out, promptView{title, c.promptLines(about)})
		}
	}
	own := young(age)
	for _, r := range v.Reasons {
		switch r.Code {
		case alliance.Tense:
			add(own+"tension", c.p.T("prompt.tension"))
		case alliance.FlatMaximal:
			add(own+"flat", c.p.T("prompt.flat"))
		case alliance.Fell, alliance.BelowCutoff:
			if own != "" {
				add(own+"fall", c.p.T("prompt.fall"))
				continue
			}
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
	typed := care.ConversationContent{Choice: care.SignalChoice(f.Get("choice")), Why: f.Get("why"), Said: f.Get("said"), Mine: f.Get("mine"), Agreed: f.Get("agreed"), Next: f.Get("next"),
		Marker: care.StrainMarker(f.Get("marker")), Settled: f.Get("settled") != "", Shared: f.Get("shared") != ""}
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

func (c *call) said(all []app.ConversationView) (out []saidView) {
	for _, x := range all {
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
