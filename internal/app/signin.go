// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

type practiceTx interface {
	AddPractice(care.Practice) error
	Practices() ([]care.Practice, error)
	Practice(id care.ID) (care.Practice, error)
}

type staffTx interface {
	AddStaff(care.Staff) error
	Staff(practice, id care.ID) (care.Staff, error)
	NamedStaff(practice, id care.ID) (care.Staff, error)
	StaffByEmail(practice care.ID, email string) (care.Staff, error)
	AllStaff(practice care.ID) ([]care.Staff, error)
	SetStaffLanguage(practice, staff care.ID, language string) error
}

type signInTx interface {
	AddSignIn(care.SignIn) error
	SignInByToken(hash []byte, nowMillis int64) (care.SignIn, error)
	EndSignIn(practice, signIn care.ID) error
	Hits(bucket string, windowMillis int64) (int64, error)
	Hit(bucket string, windowMillis, sweepBefore int64) (int64, error)
	SetPassword(practice, staff care.ID, hash string) error
}

type kioskTx interface {
	SetKiosk(practice, signIn care.ID, pinHash string) error
	CountPINFailure(practice, signIn care.ID) error
}

type joinTx interface {
	PutJoin(care.Join) error
	JoinByToken(hash []byte, nowMillis int64) (care.Join, error)
	EndJoin(practice, staff care.ID) error
}

// How long things last, and how often a password may be tried.
const (
	waitsFor       = 10 * time.Minute // for the code of a second factor
	joinLasts      = 7 * 24 * time.Hour
	throttleWindow = 15 * time.Minute
	triesByPair    = 10  // of one account from one address in a window
	triesByAddress = 60  // from one address
	triesByAccount = 200 // of one account from anywhere
)

// Languages are those the product speaks.
var Languages = []string{"en", "it"}

func language(s string) string {
	if slices.Contains(Languages, s) {
		return s
	}
	return Languages[0]
}

func hashOf(t auth.Token, domain string) []byte {
	h := t.Hash(domain)
	return h[:]
}

// NeedsSetUp reports whether no practice exists yet.
func (a *App) NeedsSetUp(ctx context.Context) (empty bool, err error) {
	err = a.read(ctx, func(tx Tx) error {
		ps, err := tx.Practices()
		empty = len(ps) == 0
		return err
	})
	return empty, err
}

// SetUpPractice creates the practice and its first member of staff, who is
// therapist and manager, and signs them in. Errors: not_found once a practice
// exists; invalid for a wrong code or bad input.
func (a *App) SetUpPractice(ctx context.Context, in SetUp) (SignedIn, error) {
	if a.cfg.SetUpCode == "" || subtle.ConstantTimeCompare([]byte(strings.TrimSpace(in.Code)), []byte(a.cfg.SetUpCode)) != 1 {
		return SignedIn{}, care.Bad("code", "setup.code_wrong")
	}
	if err := checkName("practice", in.Practice); err != nil {
		return SignedIn{}, err
	}
	if _, err := time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "" {
		return SignedIn{}, care.Bad("time_zone", "setup.time_zone_unknown")
	}
	if err := (care.ConsentRule{Holders: cmp.Or(in.Consent, care.NoRule)}).Check(); err != nil {
		return SignedIn{}, err
	}
	s, err := a.newStaff(ctx, NewColleague{Name: in.Name, Email: in.Email, Language: in.Language, Roles: []care.Role{care.Therapist, care.Manager}}, in.Password, in.Practice)
	if err != nil {
		return SignedIn{}, err
	}
	p := care.Practice{ID: a.cfg.NewID(), Name: strings.TrimSpace(in.Practice), Language: language(in.Language), TimeZone: in.TimeZone, CreatedMillis: a.nowMillis()}
	s.Practice = p.ID
	var out SignedIn
	err = a.write(ctx, func(tx Tx) error {
		// Of two servers that are asked at once one waits here, and finds a practice.
		if _, err := tx.Hit("set up", 0, 0); err != nil {
			return err
		}
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		if len(ps) > 0 {
			return care.Missing()
		}
		if err := tx.AddPractice(p); err != nil {
			return err
		}
		if err := tx.AddStaff(s); err != nil {
			return err
		}
		if in.Consent != "" && in.Consent != care.NoRule {
			if err := tx.SetConsentRule(p.ID, care.ConsentRule{Holders: in.Consent, Reviews: care.UsualReviews()}, s.ID, a.nowMillis()); err != nil {
				return err
			}
		}
		out, err = a.signIn(tx, s, in.Device, care.ByPassword)
		return err
	})
	return out, err
}

// newStaff checks what was typed and hashes the password, if one is given.
func (a *App) newStaff(ctx context.Context, in NewColleague, password string, words ...string) (care.Staff, error) {
	s := care.Staff{ID: a.cfg.NewID(), Name: strings.TrimSpace(in.Name), Email: strings.TrimSpace(in.Email), Language: language(in.Language), Roles: in.Roles, CreatedMillis: a.nowMillis()}
	if err := checkName("name", s.Name); err != nil {
		return s, err
	}
	if err := checkEmail(s.Email); err != nil {
		return s, err
	}
	if len(s.Roles) == 0 {
		return s, care.Bad("roles", "staff.role_needed")
	}
	for _, r := range s.Roles {
		if !slices.Contains(care.Roles(), r) {
			return s, care.Bad("roles", "staff.role_needed")
		}
	}
	if password == "" && len(words) == 0 {
		return s, nil
	}
	hash, err := newPassword(ctx, auth.MinPasswordAlone, password, append(words, s.Name, s.Email)...)
	s.PasswordHash = hash
	return s, err
}

// newPassword is the hash of a password of at least that many characters, or why
// it is refused. The words are names: of the person, their address, the practice.
func newPassword(ctx context.Context, least int, password string, words ...string) (string, error) {
	if err := auth.CheckPasswordMin(least, password, words...); err != nil {
		var p *auth.PasswordError
		if errors.As(err, &p) {
			return "", &care.Error{Code: care.Invalid, Field: "password", Key: "password." + strings.TrimPrefix(p.Code, "password_"), Args: p.Args, Err: err}
		}
		return "", err
	}
	hash, err := auth.HashPassword(ctx, password)
	if err != nil {
		return "", &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: err}
	}
	return hash, nil
}

func checkName(field, s string) error {
	switch n := len([]rune(strings.TrimSpace(s))); {
	case n == 0:
		return care.Bad(field, "field.needed")
	case n > 200:
		return care.Bad(field, "field.too_long")
	}
	if strings.ContainsFunc(s, hidden) {
		return care.Bad(field, "field.hidden")
	}
	return nil
}

// hidden characters make one name look like another, or a line look like two.
// Those that join letters or emoji are no deceit in many scripts.
func hidden(r rune) bool {
	const joiner, nonJoiner = '\u200d', '\u200c'
	return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Co) || unicode.Is(unicode.Cf, r) && r != joiner && r != nonJoiner
}

func checkEmail(s string) error {
	at, err := mail.ParseAddress(s)
	if err != nil || at.Address != s || len(s) > 254 {
		return care.Bad("email", "field.email")
	}
	return nil
}

// signIn opens a sign-in for somebody who has proved who they are.
func (a *App) signIn(tx Tx, s care.Staff, device string, proof care.Proof) (SignedIn, error) {
	out, id, err := a.openSignIn(tx, s, device, false, proof)
	if err != nil {
		return out, err
	}
	return out, a.audit(tx, care.Actor{Practice: s.Practice, Staff: s.ID}, "sign_in", id, "", false)
}

// openSignIn makes a sign-in, or one that opens nothing until a code has come.
func (a *App) openSignIn(tx Tx, s care.Staff, device string, waits bool, proof care.Proof) (SignedIn, care.ID, error) {
	t := auth.NewToken()
	p, err := tx.Practice(s.Practice)
	if err != nil {
		return SignedIn{}, "", err
	}
	idle, lasts := a.rules(p)
	if waits {
		idle, lasts = waitsFor, waitsFor
	}
	end := a.cfg.Now().Add(lasts)
	si := care.SignIn{ID: a.cfg.NewID(), Practice: s.Practice, Staff: s.ID, TokenHash: hashOf(t, "sign_in"), CreatedMillis: a.nowMillis(), ExpiresMillis: end.UnixMilli(), IdleMillis: a.cfg.Now().Add(idle).UnixMilli(), Device: device, Waits: waits, Proof: proof}
	return SignedIn{Token: t.Text(), Expires: end, Waits: waits}, si.ID, tx.AddSignIn(si)
}

// SignIn checks a password. Where the account has a second factor the sign-in
// waits: it opens nothing until ConfirmSignIn. Errors: invalid signin.wrong, the same for an
// unknown address and a wrong password and in the same time; unavailable
// error.throttled after too many tries.
func (a *App) SignIn(ctx context.Context, in Credentials) (SignedIn, error) {
	if err := a.throttle(ctx, in); err != nil {
		return SignedIn{}, err
	}
	var found *care.Staff
	err := a.read(ctx, func(tx Tx) error {
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		for _, p := range ps {
			s, err := tx.StaffByEmail(p.ID, in.Email)
			if care.CodeOf(err) == care.NotFound {
				continue
			}
			if err != nil {
				return err
			}
			if s.PasswordHash != "" {
				found = &s
			}
			return nil
		}
		return nil
	})
	if err != nil {
		return SignedIn{}, err
	}
	wrong := care.Bad("password", "signin.wrong")
	if found == nil {
		if err := auth.VerifyDummy(ctx, in.Password); err != nil {
			return SignedIn{}, &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: err}
		}
		a.logRefused(ctx, "password")
		// As long as noting it for an account that exists.
		return SignedIn{}, errors.Join(a.write(ctx, func(tx Tx) error {
			_, err := tx.Hit("nobody", 0, 0)
			return err
		}), wrong)
	}
	ok, err := auth.VerifyPassword(ctx, in.Password, found.PasswordHash)
	if err != nil {
		return SignedIn{}, &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: err}
	}
	if !ok {
		a.logRefused(ctx, "password")
		return SignedIn{}, errors.Join(a.write(ctx, func(tx Tx) error {
			return a.audit(tx, care.Actor{Practice: found.Practice, Staff: found.ID}, "sign_in_failed", found.ID, "", false)
		}), wrong)
	}
	var out SignedIn
	proof := care.ByPassword
	if auth.TooShortAlone(in.Password) {
		proof = care.ByShortPassword
	}
	err = a.write(ctx, func(tx Tx) error {
		out, err = a.enter(tx, *found, in.Device, proof)
		return err
	})
	return out, err
}

// enter opens a sign-in for somebody who has shown one factor; it waits where
// they have a second one.
func (a *App) enter(tx Tx, s care.Staff, device string, proof care.Proof) (out SignedIn, err error) {
	switch _, err := tx.Second(s.Practice, s.ID); care.CodeOf(err) {
	case "":
		out, _, err = a.openSignIn(tx, s, device, true, proof)
		return out, err
	case care.NotFound:
		return a.signIn(tx, s, device, proof)
	default:
		return out, err
	}
}

// throttle counts a try before it is made, by account and address together, so
// that a stranger's guessing from elsewhere does not lock the owner out soon.
func (a *App) throttle(ctx context.Context, in Credentials) error {
	window := a.nowMillis() / throttleWindow.Milliseconds() * throttleWindow.Milliseconds()
	email := strings.ToLower(strings.TrimSpace(in.Email))
	limits := []struct {
		bucket string
		most   int64
		of     string
	}{
		{"pair|" + email + "|" + in.Address, triesByPair, "one account from one address"},
		{"address|" + in.Address, triesByAddress, "one address"},
		{"account|" + email, triesByAccount, "one account"},
	}
	over, first := false, ""
	err := a.write(ctx, func(tx Tx) error {
		over, first = false, ""
		for _, l := range limits {
			sum := sha256.Sum256([]byte(l.bucket))
			n, err := tx.Hit(hex.EncodeToString(sum[:16]), window, window-throttleWindow.Milliseconds())
			if err != nil {
				return err
			}
			over = over || n > l.most
			if n == l.most+1 { // once in a window: a line for each try would fill the log
				first = l.of
			}
		}
		return nil
	})
	if err == nil && first != "" {
		a.logThrottled(ctx, "passwords", first)
	}
	if err == nil && over {
		return &care.Error{Code: care.Unavailable, Field: "password", Key: "error.throttled"}
	}
	return err
}

// logThrottled says what is refused for a while and of whom as little as possible.
func (a *App) logThrottled(ctx context.Context, what, of string) {
	a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "too many tries to sign in; further ones are refused for a while", slog.String("tries", what), slog.String("of", of))
}

// logRefused says that somebody was not let in, alike for an account that exists
// and for one that does not.
func (a *App) logRefused(ctx context.Context, by string) {
	a.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "a sign-in was refused", slog.String("by", by))
}

// Authenticate tells who a browser's cookie stands for. Errors: not_found.
func (a *App) Authenticate(ctx context.Context, token string) (me Me, err error) {
	t, err := auth.ParseToken(token)
	if err != nil {
		return Me{}, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		si, err := tx.SignInByToken(hashOf(t, "sign_in"), a.nowMillis())
		if err != nil {
			return err
		}
		if si.Waits {
			return care.Missing()
		}
		s, err := tx.NamedStaff(si.Practice, si.Staff)
		if err != nil {
			return err
		}
		tx.Damaged() // whose name does not open can still work
		if s.Ended() {
			return care.Missing()
		}
		p, err := tx.Practice(si.Practice)
		if err != nil {
			return err
		}
		me = Me{
			Actor: care.Actor{Practice: s.Practice, Staff: s.ID, Roles: s.Roles, SignIn: si.ID, Language: s.Language},
			Name:  s.Name, Practice: p.Name, TimeZone: p.TimeZone, Kiosk: si.KioskPINHash != "",
		}
		idle, _ := a.rules(p)
		me.UseDue = a.cfg.Now().Add(idle).UnixMilli()-si.IdleMillis >= useEvery.Milliseconds()
		if me.Must, err = a.must(tx, p, si); err != nil {
			return err
		}
		if me.Must != "" {
			me.Actor.Roles = nil // then no use case but those of the own account does anything
		}
		if at := p.Rules.SecondFromMillis; at > a.nowMillis() {
			has, err := hasTwo(tx, si.Practice, si.Staff)
			if err != nil {
				return err
			}
			if !has {
				me.SecondFromMillis = at
			}
		}
		return nil
	})
	return me, err
}

// SignOut ends the sign-in the actor came by.
func (a *App) SignOut(ctx context.Context, actor care.Actor) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		if err := tx.EndSignIn(actor.Practice, actor.SignIn); err != nil {
			return err
		}
		return a.audit(tx, actor, "sign_out", actor.SignIn, "", false)
	})
}

// SetLanguage changes the language of the actor's own pages.
func (a *App) SetLanguage(ctx context.Context, actor care.Actor, lang string) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	if !slices.Contains(Languages, lang) {
		return care.Bad("language", "field.choice")
	}
	return a.write(ctx, func(tx Tx) error {
		if err := tx.SetStaffLanguage(actor.Practice, actor.Staff, lang); err != nil {
			return err
		}
		return a.audit(tx, actor, "set_language", actor.Staff, "", false)
	})
}
