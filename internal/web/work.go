// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/chart"
	"github.com/entente-project/entente/internal/i18n"
)

// workRoutes are goals and tasks: the page for two people, and the step a client is
// asked after a session.
func (s *Server) workRoutes() []route {
	return []route{
		{"GET /clients/{id}/goals", staff, workPage},
		{"POST /clients/{id}/goals", staff, agreeWork},
		{"GET /form/work", respondent, workStepPage},
		{"POST /form/work", respondent, reportWork},
	}
}

// workModel is the page of goals and tasks.
type workModel struct {
	Client       care.ID
	Label        string
	Episode      care.ID
	CanWrite     bool
	Damaged      bool
	Goals, Tasks []workView
	New          map[string]workForm // what is typed for a new one
}

// workView is one goal or task in words.
type workView struct {
	app.WorkItem
	Since   string
	Until   string   // when it was reached, finished or set aside
	Wanted  string   // how far the client last said they still want it
	Sides   []string // who agrees how far, and to whom it matters how much
	Differs bool
	Write   bool // the reader may change it
	Spark   template.HTML
	Now     string // the newest progress, or what was last reported of a task
	Past    []pastWording
	Form    workForm
	Step    *workForm // for a smaller one, of a task that was not done
}

type pastWording struct{ Day, Words, State string }

// workForm is a goal or task as it can be written or changed.
type workForm struct {
	Kind   care.WorkKind
	Item   care.ID
	ID     string // of the form on the page
	Typed  care.AgreedContent
	States []care.WorkState
	Sides  []care.WorkSide
	Scales []workScale
	Open   bool // shown at once, with what is wrong

	Client, Episode care.ID
	Wrong           string // what is wrong with the words, "" for nothing
}

type workScale struct {
	Name, Label string
	Chosen      string
}

// Choices are what can be chosen.
func (workScale) Choices() (out []string) {
	for n := range care.MostWorkScale + 1 {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

func (c *call) workForm(of app.WorkView, kind care.WorkKind, item care.ID, id string, typed care.AgreedContent) workForm {
	f := workForm{Client: of.Client.ID, Episode: of.Episode.ID, Kind: kind, Item: item, ID: id, Typed: typed, States: care.WorkStates(kind), Sides: care.WorkSides()}
	names := []string{"client_agrees", "therapist_agrees", "client_matters", "therapist_matters"}
	values := []*int{typed.ClientAgrees, typed.TherapistAgrees, typed.ClientMatters, typed.TherapistMatters}
	if kind == care.TaskKind {
		names, values = []string{"client_agrees", "therapist_agrees", "hard"}, []*int{typed.ClientAgrees, typed.TherapistAgrees, typed.Hard}
	}
	for i, n := range names {
		s := workScale{Name: n, Label: c.p.T("work." + n)}
		if values[i] != nil {
			s.Chosen = strconv.Itoa(*values[i])
		}
		f.Scales = append(f.Scales, s)
	}
	return f
}

func newWork() care.AgreedContent {
	return care.AgreedContent{State: care.WorkOpen, Whose: care.OfClient, ProposedBy: care.OfClient}
}

func (c *call) workModel(v app.WorkView) workModel {
	m := workModel{Client: v.Client.ID, Label: c.nameOf(v.Client.Label, v.Client.ID), Episode: v.Episode.ID, CanWrite: v.CanWrite, Damaged: v.Damaged, New: map[string]workForm{}}
	m.Goals, m.Tasks = c.workViews(v, v.Goals), c.workViews(v, v.Tasks)
	for _, k := range []care.WorkKind{care.GoalKind, care.TaskKind} {
		m.New[string(k)] = c.workForm(v, k, "", "new-"+string(k), newWork())
	}
	return m
}

func (c *call) workViews(of app.WorkView, all []app.WorkItem) (out []workView) {
	for _, i := range all {
		v := workView{WorkItem: i, Since: c.p.Date(c.at(i.Since)), Differs: i.Differs(), Write: of.CanWrite, Form: c.workForm(of, i.Kind, i.Item, string("f"+i.Item), i.Content)}
		if !i.Open() {
			v.Until = c.p.Date(c.at(i.AtMillis))
		}
		if i.Wanted != nil {
			v.Wanted = c.p.T("work.wanted_now", "N", *i.Wanted)
		}
		for _, s := range v.Form.Scales {
			if s.Chosen != "" {
				v.Sides = append(v.Sides, c.p.T("work.of_ten", "What", s.Label, "N", s.Chosen))
			}
		}
		values := make([]float64, len(i.Progress))
		for k, p := range i.Progress {
			values[k] = math.NaN()
			if p != nil {
				values[k], v.Now = float64(*p), c.p.T("work.progress_now", "N", *p)
			}
		}
		if v.Now != "" {
			v.Spark = chart.Course{Min: 0, Max: care.MostWorkScale, Lines: []chart.Line{{Mark: chart.Goals, Values: values}}}.Spark()
		}
		if i.Done != "" {
			v.Now = c.p.T("work.reported." + string(i.Done))
		}
		if i.Kind == care.TaskKind && i.Open() && (i.Done == care.NotDone || i.Done == care.DonePartly) {
			smaller := newWork()
			smaller.StepOf = i.Item
			smaller.Why = i.Content.Why
			f := c.workForm(of, care.TaskKind, "", "s"+string(i.Item), smaller)
			v.Step = &f
		}
		for _, b := range i.Before {
			v.Past = append(v.Past, pastWording{c.p.Date(c.at(b.AtMillis)), b.Content.Words, c.p.T("work.state." + string(b.Content.State))})
		}
		out = append(out, v)
	}
	return out
}

func workPage(c *call) error {
	v, err := c.app().Work(c.r.Context(), c.by, c.id(), care.ID(c.r.URL.Query().Get("episode")))
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "goals", c.workModel(v))
}

// scale reads 0 to 10, nil for nothing said; what is no number is out of bounds.
func scale(text string) *int {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		n = -1
	}
	return &n
}

func typedWork(f url.Values) care.AgreedContent {
	return care.AgreedContent{
		Words: f.Get("words"), Whose: care.WorkSide(f.Get("whose")), ProposedBy: care.WorkSide(f.Get("proposed_by")), State: care.WorkState(f.Get("state")),
		ClientAgrees: scale(f.Get("client_agrees")), TherapistAgrees: scale(f.Get("therapist_agrees")), ClientMatters: scale(f.Get("client_matters")), TherapistMatters: scale(f.Get("therapist_matters")),
		Why: f.Get("why"), Often: f.Get("often"), Hard: scale(f.Get("hard")), CarerPart: f.Get("carer_part"), InSession: f.Get("in_session") != "", StepOf: care.ID(f.Get("step_of")),
	}
}

func agreeWork(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	f := c.r.PostForm
	episode, item, kind, typed := care.ID(f.Get("episode")), care.ID(f.Get("item")), care.WorkKind(f.Get("kind")), typedWork(f)
	err := c.app().Agree(c.r.Context(), c.by, c.id(), episode, item, kind, typed)
	if err == nil {
		return c.redirect("/clients/" + string(c.id()) + "/goals?episode=" + url.QueryEscape(string(episode)))
	}
	if care.CodeOf(err) != care.Invalid {
		return err
	}
	v, lookErr := c.app().Work(c.r.Context(), c.by, c.id(), episode)
	if lookErr != nil {
		return lookErr
	}
	m := c.workModel(v)
	if kind != care.GoalKind && kind != care.TaskKind {
		return err
	}
	again := c.workForm(v, kind, item, "new-"+string(kind), typed)
	again.Open = true
	if e, ok := errors.AsType[*care.Error](err); ok && e.Field == "words" {
		again.Wrong = c.message(e)
	}
	m.New[string(kind)] = again // what was typed comes back in the form at the end
	return c.again("goals", m, err)
}

// workStepModel is what a client is asked of goals and tasks after a session.
type workStepModel struct {
	app.WorkStep
	Items []workStepItem
}

// workStepItem is one goal or task: its words, then its questions.
type workStepItem struct {
	Words string
	Items []formItem
	Why   string // name of the field for what was in the way, "" for none
	Typed string
}

func newWorkStep(p *i18n.Printer, v app.WorkStep, typed url.Values, wrong map[string]string) workStepModel {
	m := workStepModel{WorkStep: v}
	line := func(i app.WorkItem, name, key string) formItem {
		low, high := p.T(key+".low"), p.T(key+".high")
		f := formItem{ID: name + string(i.Item), Name: name + string(i.Item), Text: p.T(key), Line: true, Low: low, High: high,
			Points: linePoints(p, instrument.Item{Min: 0, Max: care.MostWorkScale, Step: 1}, low, high)}
		for k := range f.Points {
			f.Points[k].Chosen = typed.Get(f.Name) == f.Points[k].Value
		}
		return f
	}
	for _, i := range v.Goals {
		progress, wanted := line(i, "p-", "work.ask.progress"), line(i, "w-", "work.ask.wanted")
		progress.Error = wrong[string(i.Item)]
		m.Items = append(m.Items, workStepItem{Words: i.Content.Words, Items: []formItem{progress, wanted}})
	}
	for _, i := range v.Tasks {
		f := formItem{ID: "d-" + string(i.Item), Name: "d-" + string(i.Item), Text: p.T("work.ask.done"), Error: wrong[string(i.Item)]}
		for _, d := range []care.Done{care.DoneAll, care.DonePartly, care.NotDone} {
			f.Points = append(f.Points, formPoint{Value: string(d), Label: p.T("work.done." + string(d)), Chosen: typed.Get(f.Name) == string(d)})
		}
		m.Items = append(m.Items, workStepItem{Words: i.Content.Words, Items: []formItem{f}, Why: "y-" + string(i.Item), Typed: typed.Get("y-" + string(i.Item))})
	}
	return m
}

func workStepPage(c *call) error {
	v, err := c.app().NextWork(c.r.Context(), c.by)
	if isDone(err) {
		return c.redirect("/form/sent")
	}
	if err != nil {
		return err
	}
	c.p = i18n.For(v.Language)
	return c.render(http.StatusOK, "form-work", newWorkStep(c.p, v, nil, nil))
}

func reportWork(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	v, err := c.app().NextWork(c.r.Context(), c.by)
	if isDone(err) { // sent before
		return c.redirect("/form/sent")
	}
	if err != nil {
		return err
	}
	c.p = i18n.For(v.Language)
	f := c.r.PostForm
	var said []care.WorkItemReport
	for _, i := range v.Goals {
		said = append(said, care.WorkItemReport{Item: i.Item, Progress: scale(f.Get("p-" + string(i.Item))), Wanted: scale(f.Get("w-" + string(i.Item)))})
	}
	for _, i := range v.Tasks {
		said = append(said, care.WorkItemReport{Item: i.Item, Done: care.Done(f.Get("d-" + string(i.Item))), WhyNot: f.Get("y-" + string(i.Item))})
	}
	if err := c.app().ReportWork(c.r.Context(), c.by, said); care.CodeOf(err) == care.Invalid {
		wrong := map[string]string{}
		if e, ok := errors.AsType[*care.Error](err); ok {
			wrong[e.Field] = c.message(e)
		}
		return c.refuse(http.StatusUnprocessableEntity, "form-work", newWorkStep(c.p, v, f, wrong), err)
	} else if err != nil {
		return err
	}
	return c.redirect("/form/sent")
}
