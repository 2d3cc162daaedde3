// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestRefusedSignInsAreLogged: a sign-in that is refused has a line in the log,
// alike for an account and for nobody; too many have one line for each bound; none
// says who or from where. The audit has the failed ones of an account, codes too.
func TestRefusedSignInsAreLogged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		w.now.Add(throttled)
		var log bytes.Buffer
		a := app.New(w.store, app.Config{Now: func() time.Time { return time.UnixMilli(w.now.Load()) }, Log: slog.New(slog.NewTextHandler(&log, nil))})
		lines := func(part string) int { return strings.Count(log.String(), part) }
		failed := func() int { return strings.Count(strings.Join(w.rows("audit"), "\n"), "|sign_in_failed|") }
		try := func(email, password string) (app.SignedIn, error) {
			return a.SignIn(w.ctx, app.Credentials{Email: email, Password: password, Address: "CANARY-address"})
		}
		before := failed()
		for _, email := range []string{"neri@example.org", "canary-nobody@example.org"} {
			if _, err := try(email, "CANARY-password"); keyOf(err) != "signin.wrong" {
				t.Errorf("%s: %v", email, err)
			}
		}
		if lines("a sign-in was refused") != 2 || lines("by=password") != 2 || failed() != before+1 {
			t.Errorf("the log: %s; %d in the audit", log.String(), failed()-before)
		}
		in, err := try("neri@example.org", password)
		must(t, err)
		if _, err := a.ConfirmSignIn(w.ctx, in.Token, "000000"); care.CodeOf(err) != care.Invalid {
			t.Errorf("a wrong code: %v", err)
		}
		if lines("by=code") != 1 || failed() != before+2 {
			t.Errorf("a wrong code: the log: %s; %d in the audit", log.String(), failed()-before)
		}
		for range 14 { // past the bound of a pair, and on
			_, err = try("neri@example.org", "CANARY-password")
		}
		if keyOf(err) != "error.throttled" || lines("too many tries") != 1 || lines("one account from one address") != 1 {
			t.Errorf("%v: %s", err, log.String())
		}
		if text := log.String(); strings.Contains(text, "CANARY") || strings.Contains(text, "example.org") || strings.Contains(text, string(w.neri.Staff)) {
			t.Errorf("the log says who: %s", text)
		}
	})
}
