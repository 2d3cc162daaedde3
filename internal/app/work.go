// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

type workTx interface {
	AddAgreed(care.Agreed) error
	Agreed(practice, episode, client care.ID) ([]care.Agreed, error)
	AddWorkReport(care.WorkReport) (bool, error)
	WorkReports(practice, episode, client care.ID) ([]care.WorkReport, error)
}

// WorkItem is a goal or a task as it is agreed now, with all that was agreed before
// and what the client said of it since.
type WorkItem struct {
	care.Agreed               // the newest wording
	Since       int64         // when it was first agreed
	By          string        // who wrote the newest wording down
	Before      []care.Agreed // earlier wordings, newest first
	StepOf      string        // the words of the bigger task of which this is a step
	// Progress of a goal by session, in the order of the course, nil where nothing was
	// said; Wanted how far the client last said that they still want it.
	Progress []*int
	Wanted   *int
	Done     care.Done // of a task, what was last reported
	WhyNot   string
}

// Differs says that client and therapist see it differently: as they agreed, or by
// what the client last said of wanting it still.
func (i WorkItem) Differs() bool {
	now := i.Content
	if i.Wanted != nil {
		now.ClientAgrees = i.Wanted
	}
	return i.Content.Differ() || now.Differ()
}

// Open says that it is being worked on.
func (i WorkItem) Open() bool { return i.Content.State == care.WorkOpen }

// WorkView is what an episode's client and therapist agreed to do, and for what.
type WorkView struct {
	Client       care.Client
	Episode      care.Episode
	Goals, Tasks []WorkItem // open ones first, then by age
	CanWrite     bool
	Damaged      bool // something of it does not open
}

// Work shows goals and tasks of one episode ("" for the newest the actor may see).
func (a *App) Work(ctx context.Context, actor care.Actor, client, episode care.ID) (v WorkView, err error) {
	err = a.read(ctx, func(tx Tx) error {
		before := len(tx.Damaged())
		v, err = a.workView(tx, actor, client, episode)
		v.Damaged = len(tx.Damaged()) > before
		return err
	})
	if err != nil {
		return v, err
	}
	return v, a.noteRead(ctx, actor, "read_work", v.Episode.ID, v.Episode.ID)
}

func (a *App) workView(tx Tx, actor care.Actor, client, episode care.ID) (v WorkView, err error) {
	all, err := a.episodesFor(tx, actor, care.ReadCourse, client)
	if err != nil {
		return v, err
	}
	v.Episode = all[0]
	if episode != "" {
		i := slices.IndexFunc(all, func(e care.Episode) bool { return e.ID == episode })
		if i < 0 {
			return v, care.Missing()
		}
		v.Episode = all[i]
	}
	if v.Client, err = tx.NamedClient(actor.Practice, client); err != nil {
		return v, err
	}
	relation, err := tx.Relation(actor.Practice, v.Episode.ID, actor.Staff)
	if err != nil {
		return v, err
	}
	v.CanWrite = care.MayIn(actor, care.RunSessions, relation) == nil
	c, err := a.course(tx, v.Episode, client)
	if err != nil {
		return v, err
	}
	points, err := a.points(tx, actor, relation, v.Episode, c)
	if err != nil {
		return v, err
	}
	hidden := care.ID("")
	for _, p := range points {
		if p.Asked.Hidden {
			hidden = p.Session.ID
		}
	}
	v.Goals, v.Tasks, err = a.workOf(tx, v.Episode, client, hidden)
	return v, err
}

// workOf puts the wordings and reports of an episode together, without what was said
// after a session that is hidden, "" for none: its answers wait for a guess.
func (a *App) workOf(tx Tx, e care.Episode, client, hidden care.ID) (goals, tasks []WorkItem, err error) {
	wordings, err := tx.Agreed(e.Practice, e.ID, client)
	if err != nil || len(wordings) == 0 {
		return nil, nil, err
	}
	reports, err := tx.WorkReports(e.Practice, e.ID, client)
	if err != nil {
		return nil, nil, err
	}
	return workItems(tx, e, wordings, reports, hidden)
}

func workItems(tx Tx, e care.Episode, wordings []care.Agreed, reports []care.WorkReport, hidden care.ID) (goals, tasks []WorkItem, err error) {
	reports = slices.DeleteFunc(reports, func(r care.WorkReport) bool { return hidden != "" && r.Session == hidden })
	sessions, err := tx.Sessions(e.Practice, e.ID)
	if err != nil {
		return nil, nil, err
	}
	held := slices.DeleteFunc(sessions, func(s care.Session) bool { return s.Status != care.Held })
	var order []care.ID
	items := map[care.ID]*WorkItem{}
	for _, w := range wordings {
		x := items[w.Item]
		if x == nil {
			x = &WorkItem{Since: w.AtMillis}
			items[w.Item], order = x, append(order, w.Item)
		} else {
			x.Before = append([]care.Agreed{x.Agreed}, x.Before...)
		}
		x.Agreed = w
	}
	for _, id := range order {
		x := items[id]
		x.reported(held, reports)
		if big := items[x.Content.StepOf]; big != nil {
			x.StepOf = big.Content.Words
		}
		s, err := tx.NamedStaff(e.Practice, x.Staff)
		if err != nil {
			return nil, nil, err
		}
		x.By = s.Name
		if x.Kind == care.GoalKind {
			goals = append(goals, *x)
		} else {
			tasks = append(tasks, *x)
		}
	}
	for _, list := range [][]WorkItem{goals, tasks} {
		slices.SortStableFunc(list, func(x, y WorkItem) int {
			switch {
			case x.Open() == y.Open():
				return 0
			case x.Open():
				return -1
			}
			return 1
		})
	}
	return goals, tasks, nil
}

// reported takes what the client said of it, session by session.
func (i *WorkItem) reported(held []care.Session, reports []care.WorkReport) {
	for _, s := range held {
		var progress *int
		for _, r := range reports {
			if r.Session != s.ID {
				continue
			}
			for _, x := range r.Items {
				if x.Item != i.Item {
					continue
				}
				progress = x.Progress
				if x.Wanted != nil {
					i.Wanted = x.Wanted
				}
				if x.Done != "" {
					i.Done, i.WhyNot = x.Done, x.WhyNot
				}
			}
		}
		i.Progress = append(i.Progress, progress)
	}
}

// Agree writes a goal or a task down, or, with an item, another wording of it: what
// was agreed before stays. Therapists of the episode only. Errors: invalid with the
// field; conflict when too many are open; not_found for an item of another course.
func (a *App) Agree(ctx context.Context, actor care.Actor, client, episode, item care.ID, kind care.WorkKind, in care.AgreedContent) error {
	for _, text := range []*string{&in.Words, &in.Why, &in.Often, &in.CarerPart} {
		*text = strings.TrimSpace(*text)
	}
	if kind != care.GoalKind && kind != care.TaskKind {
		return care.Bad("kind", "field.choice")
	}
	if err := in.Check(kind); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		e, err := a.writable(tx, actor, client, episode)
		if err != nil {
			return err
		}
		goals, tasks, err := a.workOf(tx, e, client, "")
		if err != nil {
			return err
		}
		all := append(slices.Clone(goals), tasks...)
		is := func(id care.ID) func(WorkItem) bool {
			return func(x WorkItem) bool { return x.Item == id && x.Kind == kind }
		}
		if item != "" && !slices.ContainsFunc(all, is(item)) || in.StepOf != "" && !slices.ContainsFunc(all, is(in.StepOf)) {
			return care.Missing()
		}
		if err := room(all, item, kind, in); err != nil {
			return err
		}
		if item == "" && slices.ContainsFunc(all, func(x WorkItem) bool {
			return x.Kind == kind && x.Content.Words == in.Words && a.nowMillis()-x.AtMillis < justStarted.Milliseconds()
		}) {
			return nil // a button pressed twice
		}
		w := care.Agreed{ID: a.cfg.NewID(), Practice: actor.Practice, Item: item, Episode: e.ID, Client: client, Staff: actor.Staff, Kind: kind, AtMillis: a.nowMillis(), Content: in}
		if w.Item == "" {
			w.Item = w.ID
		}
		if err := tx.AddAgreed(w); err != nil {
			return err
		}
		return a.audit(tx, actor, "agree_work", w.ID, e.ID, true)
	})
}

// writable is one of a client's episodes that the actor runs, "" for the newest.
func (a *App) writable(tx Tx, actor care.Actor, client, episode care.ID) (care.Episode, error) {
	all, err := a.episodesFor(tx, actor, care.RunSessions, client)
	if err != nil {
		return care.Episode{}, err
	}
	for _, e := range all {
		if episode == "" || e.ID == episode {
			return e, nil
		}
	}
	return care.Episode{}, care.Missing()
}

// room refuses one more than can be worked on at once.
func room(all []WorkItem, item care.ID, kind care.WorkKind, in care.AgreedContent) error {
	most, key := care.MostGoals, "work.too_many_goals"
	if kind == care.TaskKind {
		most, key = care.MostTasks, "work.too_many_tasks"
	}
	open := 0
	for _, x := range all {
		if x.Kind == kind && x.Open() && x.Item != item {
			open++
		}
	}
	if in.State == care.WorkOpen && open >= most {
		return &care.Error{Code: care.Invalid, Field: "words", Key: key}
	}
	return nil
}

// WorkStep is what a client is asked of goals and tasks after a session.
type WorkStep struct {
	Language     string
	Readers      []string
	Kiosk        bool
	Goals, Tasks []WorkItem
}

// workWaits are the open goals and tasks, if the client has not said anything of
// them after a session.
func (a *App) workWaits(tx Tx, e care.Episode, client, session care.ID) (goals, tasks []WorkItem, err error) {
	wordings, err := tx.Agreed(e.Practice, e.ID, client)
	if err != nil || len(wordings) == 0 {
		return nil, nil, err
	}
	reports, err := tx.WorkReports(e.Practice, e.ID, client)
	if err != nil || slices.ContainsFunc(reports, func(r care.WorkReport) bool { return r.Session == session }) {
		return nil, nil, err
	}
	goals, tasks, err = workItems(tx, e, wordings, reports, "")
	closed := func(x WorkItem) bool { return !x.Open() }
	return slices.DeleteFunc(goals, closed), slices.DeleteFunc(tasks, closed), err
}

// answering is what a client speaks of goals and tasks by: their invitation, in force and with the
// consents it waits for, and its episode.
func (a *App) answering(tx Tx, actor care.Actor) (i care.Invitation, e care.Episode, err error) {
	if i, err = a.inForce(tx, actor); err != nil {
		return i, e, err
	}
	if i.Person != "" { // goals and tasks are the client's and the therapist's
		return i, e, care.Missing()
	}
	if err := a.consentMet(tx, i.Practice, i.Client, consentWaits()); err != nil {
		return i, e, err
	}
	e, err = tx.Episode(i.Practice, i.Episode)
	return i, e, err
}

// NextWork gives a respondent their open goals and tasks, to say how they stand.
// Errors: not_found with the key form.done when nothing is left to say.
func (a *App) NextWork(ctx context.Context, actor care.Actor) (v WorkStep, err error) {
	if !actor.IsRespondent() {
		return v, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		i, e, err := a.answering(tx, actor)
		if err != nil {
			return err
		}
		v = WorkStep{Language: actor.Language, Kiosk: i.Channel == care.ByKiosk}
		if v.Goals, v.Tasks, err = a.workWaits(tx, e, i.Client, i.Session); err != nil {
			return err
		}
		tx.Damaged() // what does not open is not asked about; the therapist's page says so
		if len(v.Goals)+len(v.Tasks) == 0 {
			return &care.Error{Code: care.NotFound, Key: "form.done"}
		}
		v.Readers, err = readers(tx, e)
		return err
	})
	return v, err
}

// ReportWork keeps what a respondent says of their goals and tasks. Said twice of
// one session, the first counts. Errors: invalid with the item as field; not_found
// for a link that has ended, or for what is not theirs.
func (a *App) ReportWork(ctx context.Context, actor care.Actor, in []care.WorkItemReport) error {
	if !actor.IsRespondent() {
		return care.Missing()
	}
	var said []care.WorkItemReport
	for _, x := range in {
		x.WhyNot = strings.TrimSpace(x.WhyNot)
		if err := x.Check(); err != nil {
			return err
		}
		if x.Said() {
			said = append(said, x)
		}
	}
	return a.write(ctx, func(tx Tx) error {
		i, e, err := a.answering(tx, actor)
		if err != nil {
			return err
		}
		goals, tasks, err := a.workOf(tx, e, i.Client, "")
		tx.Damaged()
		if err != nil {
			return err
		}
		mine := append(goals, tasks...)
		for _, x := range said {
			if !slices.ContainsFunc(mine, func(m WorkItem) bool { return m.Item == x.Item }) {
				return care.Missing()
			}
		}
		if len(said) == 0 {
			return nil
		}
		r := care.WorkReport{ID: a.cfg.NewID(), Practice: i.Practice, Episode: e.ID, Session: i.Session, Client: i.Client, AtMillis: a.nowMillis(), Items: said}
		added, err := tx.AddWorkReport(r)
		if err != nil || !added {
			return err
		}
		return a.audit(tx, actor, "report_work", r.ID, e.ID, true)
	})
}
