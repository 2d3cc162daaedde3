// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestWaysInPictures opens every page about signing in, in both languages, light
// and dark, wide and narrow: each must pass axe and fit its window.
func TestWaysInPictures(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, _ := newDoorWith(t)
			linkBoss(t, d)
			ada := d.colleague(t, "ada")
			for _, kind := range []care.HelpKind{care.EndedSignIns, care.ResetSecond} {
				in := app.NewHelp{Kind: kind, Reason: "the phone was left on a train to Bologna"}
				if err := d.app.HelpColleague(t.Context(), d.boss, ada.Staff, in, demoPassword); err != nil {
					t.Fatal(err)
				}
			}
			for _, actor := range []care.Actor{d.boss, ada} {
				if err := d.app.SetLanguage(t.Context(), actor, lang); err != nil {
					t.Fatal(err)
				}
			}
			b := newBrowser(t)
			look := func(name, path string) {
				t.Helper()
				for _, l := range []struct {
					name  string
					width int64
					dark  bool
				}{{"desktop", 1280, false}, {"phone", 390, false}, {"dark", 1280, true}} {
					b.look(l.width, l.dark)
					b.open(d.base + path)
					if wide := eval[float64](b, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
						t.Errorf("%s %s %s: %.0f px wider than the window", name, l.name, lang, wide)
					}
					b.shot(name + "-" + l.name + "-" + lang)
				}
			}
			look("ways-signin", "/signin")
			b.enter(d.base, "boss@example.org")
			look("ways-account", "/account")
			if now := eval[string](b, "document.documentElement.lang"); now != lang {
				t.Errorf("the pages are in %q", now)
			}
			look("ways-colleagues", "/colleagues")
			look("ways-colleague", "/colleagues/"+string(ada.Staff))
			client := must[care.ID](t)(d.app.AddClient(t.Context(), ada, app.NewClient{Label: "A. B.", AgeBand: care.Adult, Language: lang}))
			look("ways-ending", "/colleagues/"+string(ada.Staff)+"/end")
			if err := d.app.HandOver(t.Context(), ada, client, d.boss.Staff); err != nil {
				t.Fatal(err)
			}
			look("ways-handover", "/clients/"+string(client)+"/handover")
			look("ways-practice", "/practice")
			look("ways-help", "/practice/help")
			tomorrow := care.SignInRules{IdleMinutes: 60, LongestHours: 24, SecondFromMillis: d.clock().Add(30 * time.Minute).UnixMilli()}
			if err := d.app.SetSignInRules(t.Context(), d.boss, tomorrow, demoPassword); err != nil {
				t.Fatal(err)
			}
			look("ways-reminded", "/today")
			d.later(30 * time.Minute)
			look("ways-demanded", "/today")
			if to := eval[string](b, "location.pathname"); to != "/account" {
				t.Errorf("led to %s", to)
			}
			v := d.enter(t, "ada")
			if r := v.post("/account/with/oidc", url.Values{"old": {"wrong"}}); r.status != http.StatusUnprocessableEntity {
				t.Errorf("%d", r.status)
			}
		})
	}
}
