// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

// keptTries are use cases whose refusals stand in the audit: there nothing but
// the audit may change. What is refused is what was typed, so it is "invalid".
var keptTries = map[string][]string{"OpenEmergency": {"audit", "audit_head"}, "AskErasure": {"audit", "audit_head"}}

// TestIsolation tries every use case as everybody: who may, can; who may not is
// told "not found" or, standing in the practice, "not yours", and nothing is
// written.
func TestIsolation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.need()
		w.carerEach()
		for _, u := range useCases {
			noted := keptTries[u.method]
			before := w.digest(noted...)
			for _, x := range everybody {
				if slices.Contains(u.may, x) {
					continue
				}
				err := u.run(w, w.actor(x))
				switch code := care.CodeOf(err); {
				case err == nil:
					t.Errorf("%s as %s: done", u.method, x)
				case code == care.NotFound:
				case code == care.Invalid && noted != nil:
				case code == care.Forbidden && slices.Contains(staffOfPractice, x):
				default:
					t.Errorf("%s as %s: %v", u.method, x, err)
				}
				if err != nil && strings.Contains(err.Error(), "CANARY") {
					t.Errorf("%s as %s tells %v", u.method, x, err)
				}
				if now := w.digest(noted...); now != before {
					before = now
					t.Errorf("%s as %s: something was written", u.method, x)
				}
			}
		}
		// Those who may come last: some of it ends what the others need.
		for _, u := range useCases {
			if u.method == "SignOut" || u.method == "EndVisit" || u.method == "MissSession" || u.method == "RecordRating" || u.method == "OwnForm" || u.method == "NextForm" || u.method == "NoteRisk" || u.method == "ReportWork" {
				continue
			}
			for _, x := range u.may {
				if err := u.run(w, w.actor(x)); err != nil {
					t.Errorf("%s as %s: %v", u.method, x, err)
				}
			}
		}
	})
}

// TestPermittedEndings are the use cases that end something, each in a world of
// its own.
func TestPermittedEndings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, method := range []string{"NextForm", "NoteRisk", "ReportWork", "OwnForm", "RecordRating", "EndVisit", "SignOut"} {
			i := slices.IndexFunc(useCases, func(u useCase) bool { return u.method == method })
			for _, x := range useCases[i].may {
				if err := useCases[i].run(w, w.actor(x)); err != nil {
					t.Errorf("%s as %s: %v", method, x, err)
				}
			}
		}
	})
}

// TestUnrelatedSeeNothing: what colleagues and other practices are shown holds no
// trace of a client they have nothing to do with.
func TestUnrelatedSeeNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.answerAll(w.respondent, .2, 2, "CANARY-words")
		for _, x := range []who{costa, boss, stranger} {
			rows, err := w.app.Caseload(w.ctx, w.actor(x))
			must(t, err)
			today, err := w.app.Today(w.ctx, w.actor(x))
			must(t, err)
			if len(rows)+len(today.Sessions)+len(today.Asking)+len(today.Clients) != 0 {
				t.Errorf("%s is shown %+v %+v", x, rows, today)
			}
		}
		staff, err := w.app.Staff(w.ctx, w.stranger)
		must(t, err)
		for _, s := range staff {
			if s.Name != "CANARY-stranger" {
				t.Errorf("another practice sees %+v", s)
			}
		}
	})
}
