// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"fmt"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestGuessing: whoever guesses from one place is stopped after ten tries, and
// the owner still comes in from another.
func TestGuessing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	try := func(email, password, address string) care.Code {
		_, err := w.app.SignIn(w.ctx, app.Credentials{Email: email, Password: password, Address: address})
		return care.CodeOf(err)
	}
	for i := range 12 {
		want := care.Invalid
		if i >= 10 {
			want = care.Unavailable
		}
		if got := try("neri@example.org", "guess number one or so", "there"); got != want {
			t.Errorf("try %d: %q", i, got)
		}
	}
	if got := try("neri@example.org", password, "there"); got != care.Unavailable {
		t.Errorf("the right password from the guesser's place: %q", got)
	}
	if got := try(" NERI@example.org", password, "home"); got != "" {
		t.Errorf("the owner from home: %q", got)
	}
	for i := range 60 { // one address, many accounts
		try(fmt.Sprintf("somebody%d@example.org", i), "guess number one or so", "street")
	}
	if got := try("neri@example.org", password, "street"); got != care.Unavailable {
		t.Errorf("the sixty-first try from one address: %q", got)
	}
	w.now.Add(throttled)
	if got := try("neri@example.org", password, "there"); got != "" {
		t.Errorf("a quarter of an hour later: %q", got)
	}
}

// TestJoinOnce: a colleague's link opens once.
func TestJoinOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		l := get[app.Link](t)(w.app.AddStaff(w.ctx, w.neri, app.NewColleague{Name: "B", Email: "b@example.org", Language: "en", Roles: []care.Role{care.Therapist}}))
		get[app.SignedIn](t)(w.app.Join(w.ctx, l.Token, password, ""))
		if _, err := w.app.Join(w.ctx, l.Token, "another lantern over there", ""); care.CodeOf(err) != care.NotFound {
			t.Errorf("the link opens twice: %v", err)
		}
		if _, err := w.app.JoinName(w.ctx, l.Token); care.CodeOf(err) != care.NotFound {
			t.Errorf("the used link tells a name: %v", err)
		}
	})
}

// TestPINs: the fifth wrong PIN ends the sign-in of a device that was handed over.
func TestPINs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		in := w.signIn()
		me := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)).Actor
		get[app.Link](t)(w.app.StartKiosk(w.ctx, me, w.session, "4711"))
		for i := range 4 {
			if err := w.app.LeaveKiosk(w.ctx, in.Token, "0000"); care.CodeOf(err) != care.Invalid {
				t.Errorf("wrong PIN %d: %v", i+1, err)
			}
		}
		if me := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)); !me.Kiosk {
			t.Error("wrong PINs unlock it")
		}
		if err := w.app.LeaveKiosk(w.ctx, in.Token, "0000"); err == nil {
			t.Error("the fifth wrong PIN is taken")
		}
		if _, err := w.app.Authenticate(w.ctx, in.Token); care.CodeOf(err) != care.NotFound {
			t.Errorf("after five wrong PINs: %v", err)
		}
		if err := w.app.LeaveKiosk(w.ctx, in.Token, "4711"); care.CodeOf(err) != care.NotFound {
			t.Errorf("the right PIN after five wrong ones: %v", err)
		}
	})
}

// TestAddressesAreForManagers: colleagues see names, not addresses but their own.
func TestAddressesAreForManagers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for x, all := range map[who]bool{neri: true, boss: true, costa: false, longo: false} {
			for _, c := range get[[]app.Colleague](t)(w.app.Staff(w.ctx, w.actor(x))) {
				if own := c.ID == w.actor(x).Staff; (c.Email != "") != (all || own) {
					t.Errorf("%s sees %q as the address of %s", x, c.Email, c.Name)
				}
			}
		}
	})
}

// TestReadsAreNoted: every look at a client's data is a line that the client can
// be given, with who it was.
func TestReadsAreNoted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.longo, w.client, ""))
		get[app.SessionView](t)(w.app.Session(w.ctx, w.longo, w.session))
		get[care.Client](t)(w.app.Client(w.ctx, w.longo, w.client))
		w.answerAll(w.respondent, .5, 0, "")
		seen := map[string]string{}
		for _, l := range get[[]app.AccessLine](t)(w.app.Access(w.ctx, w.neri, w.client)) {
			if _, twice := seen[l.Action]; !twice {
				seen[l.Action] = l.Who
			}
		}
		longo := ""
		for _, c := range get[[]app.Colleague](t)(w.app.Staff(w.ctx, w.neri)) {
			if c.ID == w.longo.Staff {
				longo = c.Name
			}
		}
		for action, by := range map[string]string{"read_course": longo, "read_session": longo, "read_client": longo, "record_rating": "", "open_invitation": ""} {
			if name, noted := seen[action]; !noted || name != by {
				t.Errorf("%s: noted %v, by %q, not %q", action, noted, name, by)
			}
		}
		if again := get[[]app.AccessLine](t)(w.app.Access(w.ctx, w.neri, w.client)); again[0].Action != "read_access" {
			t.Errorf("the look at the list is not in it: %+v", again[0])
		}
	})
}
