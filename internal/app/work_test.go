// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

func ten(n int) *int { return &n }

func aGoal(words string) care.AgreedContent {
	return care.AgreedContent{Words: words, Whose: care.OfClient, ProposedBy: care.OfClient, State: care.WorkOpen}
}

// agree writes something down a minute later.
func (w *world) agree(item care.ID, k care.WorkKind, c care.AgreedContent) error {
	w.now.Add(time.Minute.Milliseconds())
	return w.app.Agree(w.ctx, w.neri, w.client, w.episode, item, k, c)
}

// TestWork: goals and tasks are written down in the client's words; each change
// leaves what was agreed before; who sees them differently is told.
func TestWork(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		look := func() app.WorkView { return get[app.WorkView](t)(w.app.Work(w.ctx, w.neri, w.client, "")) }
		must(t, w.agree("", care.GoalKind, aGoal(" CANARY-sleep through ")))
		g := look().Goals[0]
		if g.Content.Words != "CANARY-sleep through" || g.By != "CANARY-neri" || len(g.Before) != 0 || !g.Open() {
			t.Fatalf("%+v", g)
		}
		next := aGoal("CANARY-sleep, or rest")
		next.ClientAgrees, next.TherapistAgrees = ten(9), ten(6)
		must(t, w.agree(g.Item, care.GoalKind, next))
		g = look().Goals[0]
		if len(look().Goals) != 1 || g.Content.Words != next.Words || len(g.Before) != 1 || g.Before[0].Content.Words != "CANARY-sleep through" || !g.Content.Differ() || g.Since >= g.AtMillis {
			t.Fatalf("%+v", g)
		}
		task := aGoal("CANARY-walk")
		task.Why, task.Hard = "CANARY-why", ten(7)
		must(t, w.agree("", care.TaskKind, task))
		step := aGoal("CANARY-to the corner")
		step.StepOf = look().Tasks[0].Item
		must(t, w.agree("", care.TaskKind, step))
		if got := look().Tasks; len(got) != 2 || got[1].StepOf != "CANARY-walk" {
			t.Errorf("%+v", got)
		}
		if kept := strings.Join(w.rows("agreed"), "\n"); strings.Contains(kept, "CANARY") {
			t.Error("what was agreed lies open")
		}
		for i := range care.MostGoals - 1 {
			must(t, w.agree("", care.GoalKind, aGoal(fmt.Sprint("goal ", i))))
		}
		same(t, "one too many", keyOf(w.agree("", care.GoalKind, aGoal("another"))), "work.too_many_goals")
		done := next
		done.State = care.Reached
		must(t, w.agree(g.Item, care.GoalKind, done))
		must(t, w.agree("", care.GoalKind, aGoal("another")))
		if got := look().Goals; len(got) != 6 || got[5].Item != g.Item {
			t.Errorf("a reached one does not stand last: %+v", got)
		}
	})
}

// TestWorkRefused: what is out of bounds is said at its field, what is not theirs is
// not there.
func TestWorkRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.agree("", care.GoalKind, aGoal("sleep")))
		goal := get[app.WorkView](t)(w.app.Work(w.ctx, w.neri, w.client, "")).Goals[0].Item
		finished, hard := aGoal("x"), aGoal("x")
		finished.State, hard.Hard = care.Finished, ten(11)
		for field, c := range map[string]care.AgreedContent{"words": aGoal("  "), "state": finished, "whose": {Words: "x", State: care.WorkOpen}, "hard": hard} {
			err := w.agree("", care.GoalKind, c)
			if e, ok := errors.AsType[*care.Error](err); !ok || e.Code != care.Invalid || e.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		same(t, "of nobody", care.CodeOf(w.agree("no such item", care.TaskKind, aGoal("x"))), care.NotFound)
		same(t, "a goal as a task", care.CodeOf(w.agree(goal, care.TaskKind, aGoal("x"))), care.NotFound)
		same(t, "the supervisor's", care.CodeOf(w.app.Agree(w.ctx, w.longo, w.client, w.episode, "", care.GoalKind, aGoal("x"))), care.Forbidden)
		same(t, "another episode", care.CodeOf(w.app.Agree(w.ctx, w.neri, w.client, "no such", "", care.GoalKind, aGoal("x"))), care.NotFound)
	})
}

// TestWorkStep: after the last form a client says how open goals and tasks stand,
// once for each session; it stands beside them by session, and is asked of nobody
// who agreed on nothing.
func TestWorkStep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.answerAll(w.respondent, .5, 0, "")
		_, err := w.app.NextWork(w.ctx, w.respondent)
		same(t, "nothing agreed", keyOf(err), "form.done")
		must(t, w.agree("", care.GoalKind, aGoal("CANARY-sleep")))
		must(t, w.agree("", care.TaskKind, aGoal("CANARY-walk")))
		w.now.Add((7 * 24 * time.Hour).Milliseconds())
		session := get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		must(t, w.app.Reveal(w.ctx, w.neri, session))
		by := w.visit(session)
		for last := false; !last; {
			f := get[app.FormView](t)(w.app.NextForm(w.ctx, by))
			last = f.Step == f.Of
			if r := get[app.Receipt](t)(w.app.RecordRating(w.ctx, by, filled(f, "", .5, 0))); r.Work != last || r.More == last {
				t.Errorf("form %d of %d: %+v", f.Step, f.Of, r)
			}
		}
		step := get[app.WorkStep](t)(w.app.NextWork(w.ctx, by))
		if len(step.Goals) != 1 || len(step.Tasks) != 1 || len(step.Readers) == 0 {
			t.Fatalf("%+v", step)
		}
		goal, task := step.Goals[0].Item, step.Tasks[0].Item
		for field, x := range map[care.ID]care.WorkItemReport{goal: {Item: goal, Progress: ten(11)}, task: {Item: task, Done: "perhaps"}} {
			err := w.app.ReportWork(w.ctx, by, []care.WorkItemReport{x})
			if e, ok := errors.AsType[*care.Error](err); !ok || e.Code != care.Invalid || e.Field != string(field) {
				t.Errorf("%+v: %v", x, err)
			}
		}
		same(t, "another's", care.CodeOf(w.app.ReportWork(w.ctx, by, []care.WorkItemReport{{Item: "x", Done: care.DoneAll}})), care.NotFound)
		said := []care.WorkItemReport{{Item: goal, Progress: ten(4), Wanted: ten(8)}, {Item: task, Done: care.NotDone, WhyNot: " CANARY-rain "}}
		w.breakUntil(func() error { return w.app.ReportWork(w.ctx, by, said) })
		must(t, w.app.ReportWork(w.ctx, by, []care.WorkItemReport{{Item: goal, Progress: ten(9)}})) // again: the first counts
		_, err = w.app.NextWork(w.ctx, by)
		same(t, "said", keyOf(err), "form.done")
		if kept := strings.Join(w.rows("work_report"), "\n"); strings.Contains(kept, "CANARY") {
			t.Error("what was said lies open")
		}
		v := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if g := v.Goals[0]; len(g.Progress) != 2 || g.Progress[0] != nil || *g.Progress[1] != 4 || *g.Wanted != 8 {
			t.Errorf("%+v", g)
		}
		if x := v.Tasks[0]; x.Done != care.NotDone || x.WhyNot != "CANARY-rain" {
			t.Errorf("%+v", x)
		}
	})
}

// TestWorkHidden: what a client says of goals and tasks waits for the therapist's
// guess as their rating does, on each page; a button pressed twice writes one goal;
// who no longer wants what was agreed on is told.
func TestWorkHidden(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		agreed := aGoal("CANARY-sleep")
		agreed.ClientAgrees, agreed.TherapistAgrees = ten(8), ten(8)
		must(t, w.agree("", care.GoalKind, agreed))
		must(t, w.app.Agree(w.ctx, w.neri, w.client, w.episode, "", care.GoalKind, agreed))
		goals := func(a care.Actor) (page, own []app.WorkItem) {
			return get[app.ClientView](t)(w.app.ClientPage(w.ctx, a, w.client, "")).Goals, get[app.WorkView](t)(w.app.Work(w.ctx, a, w.client, "")).Goals
		}
		page, _ := goals(w.neri)
		same(t, "written twice", len(page), 1)
		w.answerAll(w.respondent, .5, 0, "")
		must(t, w.app.ReportWork(w.ctx, w.respondent, []care.WorkItemReport{{Item: page[0].Item, Progress: ten(2), Wanted: ten(3)}}))
		page, own := goals(w.neri)
		if page[0].Progress[0] != nil || own[0].Progress[0] != nil || page[0].Wanted != nil || page[0].Differs() {
			t.Errorf("before the guess: %+v, %+v", page[0], own[0])
		}
		page, own = goals(w.longo)
		if page[0].Progress[0] == nil || own[0].Progress[0] == nil {
			t.Error("a supervisor guesses nothing")
		}
		must(t, w.app.Reveal(w.ctx, w.neri, w.session))
		page, own = goals(w.neri)
		if *page[0].Progress[0] != 2 || *own[0].Progress[0] != 2 || !page[0].Differs() {
			t.Errorf("after it: %+v, %+v", page[0], own[0])
		}
	})
}

// breakUntil breaks the n-th statement of do for n = 1, 2, ... until it succeeds:
// after each failure the database is as it was.
func (w *world) breakUntil(do func() error) {
	w.t.Helper()
	for n := int64(1); n < 200; n++ {
		before := w.digest()
		w.left.Store(n)
		w.fail.Store(1)
		err := do()
		w.fail.Store(0)
		if err == nil {
			return
		}
		if w.digest() != before {
			w.t.Errorf("statement %d broken: half of it was written: %v", n, err)
		}
	}
	w.t.Error("it never succeeds")
}
