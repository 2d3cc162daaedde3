// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

// timed are things that end by themselves, made at one moment.
type timed struct {
	token, link, visit string
	respondent         care.Actor
	session            care.ID
}

func (w *world) timed() (out timed) {
	w.t.Helper()
	in := get[app.SignedIn](w.t)(w.app.SignIn(w.ctx, app.Credentials{Email: "neri@example.org", Password: password, Address: "clock"}))
	out.token = in.Token
	out.session = get[care.ID](w.t)(w.app.StartSession(w.ctx, w.neri, w.episode))
	out.link = get[app.Link](w.t)(w.app.Invite(w.ctx, w.neri, out.session)).Token
	out.visit = get[app.Link](w.t)(w.app.OpenInvitation(w.ctx, out.link)).Token
	out.respondent = get[care.Actor](w.t)(w.app.Respondent(w.ctx, out.visit))
	return out
}

// ways says for each of them whether it lets somebody in now.
func (w *world) ways(x timed) string {
	w.t.Helper()
	at := func(err error) string {
		if err != nil && care.CodeOf(err) != care.NotFound {
			w.t.Errorf("%v", err)
		}
		return map[bool]string{true: "open", false: "shut"}[err == nil]
	}
	_, form := w.app.NextForm(w.ctx, x.respondent)
	return "sign-in " + at(errorOf(w.app.Authenticate(w.ctx, x.token))) + ", link " + at(errorOf(w.app.OpenInvitation(w.ctx, x.link))) + ", form " + at(form)
}

const allOpen, allShut, noSignIn = "sign-in open, link open, form open", "sign-in shut, link shut, form shut", "sign-in shut, link open, form open"

// TestClockJumps: the clock jumps an hour, two days, ten years, ahead and back, and
// is put right again. Nothing lives more than a day longer than its time, also what
// was made while the clock was wrong; nobody is locked out; the same answers count
// once; no mail goes out by itself; and the audit holds, in the order of writing.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	const hour = int64(3_600_000)
	each(t, func(t *testing.T, w *world) {
		w.need()
		right := w.now.Load()
		for _, jump := range []struct {
			by         int64
			old, later string // what is open of what was made before, while the clock is wrong; and of what was made then, put right again
			emergency  care.Code
		}{
			{hour / 2, allOpen, allOpen, ""}, {-hour / 2, allOpen, allOpen, ""},
			{48 * hour, noSignIn, allShut, care.NotFound}, {-48 * hour, allShut, noSignIn, care.NotFound},
			{87_660 * hour, allShut, allShut, care.NotFound}, {-87_660 * hour, allShut, allShut, care.NotFound},
		} {
			name := fmt.Sprint(time.Duration(jump.by) * time.Millisecond)
			right += 8 * 24 * hour // beyond whatever was made
			w.now.Store(right)
			before := w.timed()
			mails := w.mails()
			w.now.Store(right + jump.by)
			same(t, name+": of before, while wrong", w.ways(before), jump.old)
			w.answersOnce(name, -jump.by)
			wrong := w.timed()
			same(t, name+": made while wrong", w.ways(wrong), allOpen)
			get[care.ID](t)(w.app.OpenEmergency(w.ctx, w.riva, app.NewEmergency{Name: "CANARY-in need", Reason: "a reason that is long enough"}))
			if jump.by%(87_660*hour) == 0 {
				w.guessed()
			}
			w.now.Store(right)
			same(t, name+": made while wrong, put right", w.ways(wrong), jump.later)
			_, err := w.app.ClientPage(w.ctx, w.riva, w.inNeed, "")
			same(t, name+": an emergency of then", care.CodeOf(err), jump.emergency)
			same(t, name+": mails, but for the emergency's", w.mails()-mails, 1)
			w.answersOnce(name, 0)
			same(t, name+": made anew", w.ways(w.timed()), allOpen)
		}
		w.now.Store(right)
		must(t, w.store.Read(w.ctx, func(tx *store.Tx) error {
			lines, err := tx.VerifyAudit(w.neri.Practice, nil)
			if lines < 100 {
				t.Errorf("only %d lines of the audit hold", lines)
			}
			return err
		}))
	})
}

func (w *world) mails() int {
	return len(w.mail.tokens) + len(w.mail.notices) + len(w.mail.accounts) + len(w.mail.passwords)
}

// answersOnce sends the same answers twice, a jump of the clock apart: one receipt.
func (w *world) answersOnce(name string, jump int64) {
	w.t.Helper()
	x := w.timed()
	f := get[app.FormView](w.t)(w.app.NextForm(w.ctx, x.respondent))
	in := filled(f, "", .5, 1)
	at := w.now.Load()
	defer w.now.Store(at)
	first := get[app.Receipt](w.t)(w.app.RecordRating(w.ctx, x.respondent, in))
	w.now.Add(jump)
	if jump < -24*3_600_000 || jump > 3*24*3_600_000 {
		if _, err := w.app.RecordRating(w.ctx, x.respondent, in); care.CodeOf(err) != care.NotFound {
			w.t.Errorf("%s: sent again by a link of another time: %v", name, err)
		}
		w.now.Add(-jump)
	}
	again := get[app.Receipt](w.t)(w.app.RecordRating(w.ctx, x.respondent, in))
	if !again.Repeated || again.ID != first.ID || again.AtMillis != first.AtMillis {
		w.t.Errorf("%s: the second receipt is %+v", name, again)
	}
}

// guessed tries wrong passwords until the account waits. That must be over with the
// clock that was wrong.
func (w *world) guessed() {
	w.t.Helper()
	try := app.Credentials{Email: "neri@example.org", Password: "wrong", Address: "clock"}
	for range 10 {
		_, _ = w.app.SignIn(w.ctx, try)
	}
	try.Password = password
	_, err := w.app.SignIn(w.ctx, try)
	same(w.t, "after ten wrong passwords", care.CodeOf(err), care.Unavailable)
}
