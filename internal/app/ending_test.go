// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

// leaverEach makes a colleague with a client for each manager to end (see need).
func (w *world) leaverEach() {
	w.t.Helper()
	w.leaving = map[care.ID]care.ID{}
	for i, x := range []care.Actor{w.neri, w.boss} {
		s := care.Staff{ID: newID(), Practice: x.Practice, Name: "CANARY-leaver", Email: []string{"one", "two"}[i] + "@example.org", Language: "en", Roles: []care.Role{care.Therapist}, CreatedMillis: w.now.Load()}
		s.PasswordHash = get[string](w.t)(passwordHash())
		must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error { return tx.AddStaff(s) }))
		by := care.Actor{Practice: s.Practice, Staff: s.ID, Roles: s.Roles}
		get[care.ID](w.t)(w.app.AddClient(w.ctx, by, app.NewClient{Label: "CANARY-of a leaver", AgeBand: care.Adult, Language: "it"}))
		w.leaving[x.Staff] = s.ID
	}
}

func (w *world) end(by care.Actor, of, to care.ID, reason, password string) error {
	w.now.Add(throttled)
	return w.app.EndStaff(w.ctx, by, of, app.NewEnding{To: to, Reason: reason}, password)
}

// TestEndStaff: an account that is ended lets nobody in by any way it had, its
// clients are a colleague's, and whatever its owner wrote is still theirs.
func TestEndStaff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.need()
		must(t, w.app.AddNote(w.ctx, w.neri, w.session, "CANARY-note of neri"))
		w.answerAll(w.respondent, .5, 1, "CANARY-words")
		in := w.signIn()
		first := get[app.ColleagueView](t)(w.app.Colleague(w.ctx, w.boss, w.neri.Staff)).Ending
		if first.Clients != 6 || first.EndedMillis != 0 || !slices.ContainsFunc(first.Takers, func(c app.Colleague) bool { return c.ID == w.costa.Staff }) || slices.ContainsFunc(first.Takers, func(c app.Colleague) bool { return c.ID == w.neri.Staff || c.ID == w.boss.Staff }) {
			t.Errorf("before: %+v", first)
		}
		for _, x := range []struct {
			by               care.Actor
			of, to           care.ID
			reason, password string
			want             string
		}{
			{w.boss, w.neri.Staff, "", why, password, "ending.taker"}, {w.boss, w.neri.Staff, w.longo.Staff, why, password, "ending.taker"},
			{w.boss, w.neri.Staff, w.neri.Staff, why, password, "ending.taker"}, {w.boss, w.neri.Staff, w.stranger.Staff, why, password, "ending.taker"},
			{w.boss, w.neri.Staff, w.costa.Staff, "so", password, "help.reason_short"}, {w.boss, w.neri.Staff, w.costa.Staff, why, "wrong", "account.password_wrong"},
			{w.boss, w.boss.Staff, w.costa.Staff, why, password, "ending.own"}, {w.costa, w.neri.Staff, w.costa.Staff, why, password, "error.forbidden"},
			{w.stranger, w.neri.Staff, w.stranger.Staff, why, password, "error.not_found"},
		} {
			if err := w.end(x.by, x.of, x.to, x.reason, x.password); keyOf(err) != x.want || !w.open(in) {
				t.Errorf("%s: %v", x.want, err)
			}
		}
		wrote := [][]string{w.rows("response"), w.rows("session_note"), w.rows("session")}
		told := len(w.mail.accounts)
		must(t, w.end(w.boss, w.neri.Staff, w.costa.Staff, "CANARY "+why, password))
		if len(w.mail.accounts) != told+1 || w.mail.accounts[told] != "neri@example.org" {
			t.Errorf("told: %v", w.mail.accounts)
		}
		w.shut(in)
		for i, table := range []string{"response", "session_note", "session"} {
			if !slices.Equal(wrote[i], w.rows(table)) {
				t.Errorf("%s was changed", table)
			}
		}
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.costa, w.client, ""))
		if !slices.Equal(page.Therapists, []string{"CANARY-costa"}) || !page.CanAsk || len(page.Sessions[0].Notes) != 1 || page.Sessions[0].Notes[0].By != "CANARY-neri" {
			t.Errorf("the taker's page: %v %+v", page.Therapists, page.Sessions)
		}
		// Of six clients one has a course that ended (see need).
		if rows := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.costa)); len(rows) != 5 {
			t.Errorf("the taker has %d clients", len(rows))
		}
		lines := get[[]app.AccessLine](t)(w.app.Access(w.ctx, w.costa, w.client))
		if !slices.ContainsFunc(lines, func(l app.AccessLine) bool { return l.Action == "hand_over" && l.Who == "CANARY-boss" && l.Changes }) {
			t.Error("the list of who saw the data does not say that the client was handed over")
		}
		w.now.Add(justStarted)
		session := get[care.ID](t)(w.app.StartSession(w.ctx, w.costa, w.episode))
		link := get[app.Link](t)(w.app.Invite(w.ctx, w.costa, session))
		visit := get[app.Link](t)(w.app.OpenInvitation(w.ctx, link.Token))
		asked := get[app.FormView](t)(w.app.NextForm(w.ctx, get[care.Actor](t)(w.app.Respondent(w.ctx, visit.Token))))
		if !slices.Equal(asked.Readers, []string{"CANARY-costa", "CANARY-longo"}) {
			t.Errorf("the client is told that %v read", asked.Readers)
		}
		v := get[app.ColleagueView](t)(w.app.Colleague(w.ctx, w.boss, w.neri.Staff))
		if v.Ending.EndedMillis == 0 || v.Ending.Clients != 0 || v.SignIns != 0 || v.Help[0].Kind != care.EndedAccount || v.Help[0].Reason != "CANARY "+why {
			t.Errorf("afterwards: %+v", v)
		}
		if rows := strings.Join(w.rows("staff_help"), ""); strings.Contains(rows, "CANARY") {
			t.Error("the reason rests in plain")
		}
	})
}

// shut tries every way in that neri had.
func (w *world) shut(in app.SignedIn) {
	t := w.t
	t.Helper()
	if _, err := w.app.Authenticate(w.ctx, in.Token); care.CodeOf(err) != care.NotFound {
		t.Errorf("the sign-in goes on: %v", err)
	}
	w.now.Add(throttled)
	if _, err := w.app.SignIn(w.ctx, app.Credentials{Email: "neri@example.org", Password: password, Address: "here"}); keyOf(err) != "signin.wrong" {
		t.Errorf("the password: %v", err)
	}
	if _, err := w.app.RecoverAccount(w.ctx, "neri@example.org", why); care.CodeOf(err) != care.NotFound {
		t.Errorf("the operator lets them in again: %v", err)
	}
	if err := w.help(w.boss, w.neri.Staff, care.SentLink, why, password); keyOf(err) != "ending.ended" {
		t.Errorf("a link: %v", err)
	}
	if err := w.end(w.boss, w.neri.Staff, w.costa.Staff, why, password); keyOf(err) != "ending.ended" {
		t.Errorf("twice: %v", err)
	}
	if _, err := w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "N.", AgeBand: care.Adult, Language: "en"}); err == nil {
		t.Error("a request that was on its way made a client whom nobody treats")
	}
	for _, table := range []string{"sign_in", "staff_identity", "staff_passkey", "staff_join", "episode_staff"} {
		if strings.Contains(strings.Join(w.rows(table), "\n"), string(w.neri.Staff)) {
			t.Errorf("%s still names them", table)
		}
	}
}

// TestEndsEachOther: of two managers who end each other at once one remains, or
// both where neither was done.
func TestEndsEachOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.now.Add(throttled)
		var done sync.WaitGroup
		errs := make([]error, 2)
		for i, x := range [][2]care.Actor{{w.neri, w.boss}, {w.boss, w.neri}} {
			done.Go(func() {
				errs[i] = w.app.EndStaff(w.ctx, x[0], x[1].Staff, app.NewEnding{To: w.costa.Staff, Reason: why}, password)
			})
		}
		done.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("%v, %v", errs[0], errs[1])
		}
		left := 0
		for _, s := range get[[]app.Colleague](t)(w.app.Staff(w.ctx, w.costa)) {
			if !s.Ended && slices.Contains(s.Roles, care.Manager) {
				left++
			}
		}
		if left != 1 {
			t.Errorf("%d managers are left", left)
		}
	})
}

// TestHandOver: a therapist gives one client to another; the one sees the client
// and the other does not any more, and nobody else's relation changes.
func TestHandOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		other := get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-stays", AgeBand: care.Adult, Language: "it"}))
		for _, to := range []care.ID{"", w.neri.Staff, w.longo.Staff, w.boss.Staff, w.stranger.Staff} {
			if err := w.app.HandOver(w.ctx, w.neri, w.client, to); keyOf(err) != "ending.taker" {
				t.Errorf("to %q: %v", to, err)
			}
		}
		get[care.ID](t)(w.app.OpenEpisode(w.ctx, w.neri, w.client, app.NewEpisode{}))
		must(t, w.app.HandOver(w.ctx, w.neri, w.client, w.costa.Staff))
		if _, err := w.app.ClientPage(w.ctx, w.neri, w.client, ""); care.CodeOf(err) != care.NotFound {
			t.Errorf("whoever handed over: %v", err)
		}
		get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, other, ""))
		if v := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.costa, w.client, "")); len(v.Episodes) != 2 {
			t.Errorf("%d episodes were handed over", len(v.Episodes))
		}
		get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.longo, w.client, ""))
		if err := w.app.HandOver(w.ctx, w.neri, w.client, w.costa.Staff); care.CodeOf(err) != care.NotFound {
			t.Errorf("again: %v", err)
		}
	})
}
