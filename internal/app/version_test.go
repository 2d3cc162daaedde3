// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// answerOnce publishes a version, unless it is there, has it answered in a new
// session and returns the client's page.
func (w *world) answerOnce(text string, share float64) app.ClientView {
	w.t.Helper()
	if _, err := w.app.PublishForm(w.ctx, w.neri, text); care.CodeOf(err) != care.Conflict {
		must(w.t, err)
	}
	w.now.Add(justStarted)
	w.session = get[care.ID](w.t)(w.app.StartSession(w.ctx, w.neri, w.episode))
	f := get[app.FormView](w.t)(w.app.NextForm(w.ctx, w.visit(w.session)))
	get[app.Receipt](w.t)(w.app.RecordRating(w.ctx, w.visit(w.session), filled(f, w.session, share, 0)))
	return get[app.ClientView](w.t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
}

// TestCourseOverVersions: a corrected word leaves the course whole; a change of
// structure begins another one, which alone is judged, and mixes no two ranges.
func TestCourseOverVersions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		version := func(n int, change ...string) string {
			return strings.NewReplacer(append(change, "kind: outcome", "kind: alliance")...).Replace(ownForm("sleep", n))
		}
		points := func(m app.Measure) (n int) {
			for _, p := range m.Client[0].Points {
				if p.OK {
					n++
				}
			}
			return n
		}
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, version(1)))
		get[care.ID](t)(w.app.RecordGrant(w.ctx, w.boss, app.NewGrant{Instrument: "sleep", Ground: care.OwnWork}))
		must(t, w.app.ChooseForms(w.ctx, w.neri, w.episode, []string{"sleep"}))
		for range 5 {
			w.answerOnce(version(2), .9)
		}
		v := w.answerOnce(version(3, "I slept", "I slept."), .2)
		if len(v.Alliance) != 1 || points(v.Alliance[0]) != 6 || v.Alliance[0].Instrument.Version != 3 || v.Alliance[0].Earlier {
			t.Fatalf("after a correction: %+v", v.Alliance)
		}
		fell := func(v app.ClientView) bool {
			for _, r := range v.Verdict.Reasons {
				if r.Code == alliance.Fell {
					return true
				}
			}
			return false
		}
		if !fell(v) {
			t.Error("a fall from 9 to 2 is not seen over a correction")
		}
		v = w.answerOnce(version(4, "max: 10", "max: 100"), .5)
		if len(v.Alliance) != 2 || v.Alliance[0].Earlier || !v.Alliance[1].Earlier {
			t.Fatalf("after a change of range: %+v", v.Alliance)
		}
		now, then := v.Alliance[0], v.Alliance[1]
		if points(now) != 1 || now.Max != 100 || points(then) != 6 || then.Max != 10 || then.Instrument.Version != 3 {
			t.Errorf("now %+v, then %+v", now, then)
		}
		if fell(v) {
			t.Error("the course that has ended is still judged")
		}
	})
}
