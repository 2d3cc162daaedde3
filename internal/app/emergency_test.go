// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

// need adds a client of neri's whom another therapist has opened in an emergency.
func (w *world) need() {
	w.t.Helper()
	w.toErase = map[care.ID]care.ID{}
	for _, x := range []care.Actor{w.neri, w.boss} {
		w.toErase[x.Staff] = get[care.ID](w.t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-erase " + string(x.Staff), AgeBand: care.Adult, Language: "it"}))
	}
	w.linkEach()
	w.passkeyEach()
	w.erased = get[care.ID](w.t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-gone", AgeBand: care.Adult, Language: "it"}))
	must(w.t, w.app.EraseClient(w.ctx, w.neri, app.Erase{Client: w.erased, Name: "CANARY-gone", Reason: care.EnteredWrongly}))
	w.riva = w.join("CANARY-riva", "riva@example.org", care.Therapist)
	w.inNeed = get[care.ID](w.t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-in need", AgeBand: care.Adult, Language: "it"}))
	opened := get[care.ID](w.t)(w.app.OpenEmergency(w.ctx, w.riva, app.NewEmergency{Name: "CANARY-in need", Reason: "CANARY-reason: phone call, in danger"}))
	if opened != w.inNeed {
		w.t.Fatalf("opened %s, not %s", opened, w.inNeed)
	}
	w.emergency = get[app.Today](w.t)(w.app.Today(w.ctx, w.neri)).Told[0].ID
	w.pull = newID()
	must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error {
		return tx.AddPull(care.Pull{ID: w.pull, Practice: w.neri.Practice, Staff: w.costa.Staff, AtMillis: w.now.Load(), Clients: 50}, []care.ID{w.neri.Staff, w.boss.Staff})
	}))
	must(w.t, w.app.SetRiskDuty(w.ctx, w.neri, care.RiskDuty{Owner: w.boss.Staff, Hours: 4}))
	w.risks = map[care.ID]care.ID{w.neri.Staff: newID(), w.boss.Staff: newID()}
	for _, id := range w.risks {
		must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error {
			_, err := tx.AddRisk(care.RiskSignal{ID: id, Practice: w.neri.Practice, Episode: w.episode, Session: w.session, Client: w.client, AtMillis: w.now.Load(), Content: care.RiskContent{Instrument: "CANARY-" + string(id), Items: []string{"9"}}})
			return err
		}))
	}
	must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error {
		d := get[care.RiskDuty](w.t)(tx.RiskDuty(w.neri.Practice))
		d.TestMillis = w.now.Load()
		return tx.SetRiskDuty(d)
	}))
	w.someEnds()
	must(w.t, w.grant(w.neri))
	w.write()
	w.leaverEach()
	w.consentEach()
}

// TestEmergency: who opens a client in an emergency reads and does not write, for
// 24 hours, and the client's therapist knows of it until they say so.
func TestEmergency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.need()
		if !slices.Equal(w.mail.notices, []string{"neri@example.org"}) {
			t.Errorf("mailed to %v", w.mail.notices)
		}
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.riva, w.inNeed, ""))
		if page.Emergency != w.now.Load()+care.EmergencyLastsMillis || page.CanAsk {
			t.Errorf("until %d, may ask: %v", page.Emergency, page.CanAsk)
		}
		for name, err := range map[string]error{
			"write": errorOf(w.app.StartSession(w.ctx, w.riva, page.Episode.ID)), "edit": w.app.EditClient(w.ctx, w.riva, care.Client{ID: w.inNeed, Label: "x", AgeBand: care.Adult, Language: "en"}),
		} {
			if care.CodeOf(err) != care.Forbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.app.ClientPage(w.ctx, w.riva, w.client, ""); care.CodeOf(err) != care.NotFound {
			t.Errorf("another client of the same therapist: %v", err)
		}
		lines := get[[]app.AccessLine](t)(w.app.Access(w.ctx, w.neri, w.inNeed))
		var seen []string
		for _, l := range lines {
			if l.Who == "CANARY-riva" && l.InNeed {
				seen = append(seen, l.Action)
			}
		}
		if !slices.Contains(seen, "open_emergency") || !slices.Contains(seen, "read_course") {
			t.Errorf("the list of who has seen it marks %v", seen)
		}
		if held := get[app.Today](t)(w.app.Today(w.ctx, w.riva)).Held; len(held) != 1 || held[0].Client != w.inNeed {
			t.Errorf("riva holds %d", len(held))
		}
		if kept := strings.Join(w.rows("emergency"), " "); kept == "" || strings.Contains(kept, "phone call") || strings.Contains(kept, "CANARY") {
			t.Error("the reason is kept unsealed")
		}
		told := get[app.Today](t)(w.app.Today(w.ctx, w.neri)).Told
		if len(told) != 1 || told[0].By != "CANARY-riva" || !strings.Contains(told[0].Reason, "phone call") {
			t.Fatalf("neri is told of %d", len(told))
		}
		must(t, w.app.SeeEmergency(w.ctx, w.neri, told[0].ID))
		if told = get[app.Today](t)(w.app.Today(w.ctx, w.neri)).Told; len(told) != 0 {
			t.Error("the notice stays after it was seen")
		}
		if err := w.app.SeeEmergency(w.ctx, w.neri, w.emergency); care.CodeOf(err) != care.NotFound {
			t.Errorf("seen twice: %v", err)
		}
		w.now.Add(care.EmergencyLastsMillis)
		if _, err := w.app.ClientPage(w.ctx, w.riva, w.inNeed, ""); care.CodeOf(err) != care.NotFound {
			t.Errorf("after 24 hours: %v", err)
		}
	})
}

// TestEmergencyEnds: by whoever took it, and by the client's therapist.
func TestEmergencyEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.need()
		for _, by := range []care.Actor{w.riva, w.neri} {
			get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.riva, w.inNeed, ""))
			must(t, w.app.EndEmergency(w.ctx, by, w.inNeed))
			if _, err := w.app.ClientPage(w.ctx, w.riva, w.inNeed, ""); care.CodeOf(err) != care.NotFound {
				t.Errorf("ended, and still open: %v", err)
			}
			w.now.Add(1000)
			get[care.ID](t)(w.app.OpenEmergency(w.ctx, w.riva, app.NewEmergency{Name: "CANARY-in need", Reason: "again, the same evening"}))
		}
	})
}

// TestEmergencyRefused: a name is not a way to find out who is a client here.
func TestEmergencyRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "Twice", AgeBand: care.Adult, Language: "en"}))
		get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "twice", AgeBand: care.Adult, Language: "en"}))
		try := func(name, reason string) string {
			_, err := w.app.OpenEmergency(w.ctx, w.costa, app.NewEmergency{Name: name, Reason: reason})
			if err == nil {
				return "done"
			}
			return err.Error()
		}
		for _, x := range [][3]string{
			{"CANARY-client", "urgent", "emergency.reason_short"}, {"", "a reason that is long enough", "field.needed"},
			{"Twice", "a reason that is long enough", "emergency.several"}, {"CANARY", "a reason that is long enough", "emergency.nobody"},
			{"CANARY-client%", "a reason that is long enough", "emergency.nobody"}, {"CANARY-clien", "a reason that is long enough", "emergency.nobody"},
			{"Nobody", "a reason that is long enough", "emergency.nobody"}, {"CANARY-client", "a reason that is long enough", "error.throttled"},
		} {
			if got := try(x[0], x[1]); !strings.Contains(got, x[2]) {
				t.Errorf("%q, %q: %s, not %s", x[0], x[1], got, x[2])
			}
		}
		tries := 0
		for _, l := range w.rows("audit") {
			if strings.Contains(l, "try_emergency") {
				tries++
			}
		}
		if tries != 6 || len(w.rows("emergency")) != 0 {
			t.Errorf("%d tries are in the audit, %d were opened", tries, len(w.rows("emergency")))
		}
	})
}
