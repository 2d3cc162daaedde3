// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

type secondTx interface {
	SignIns(practice, staff care.ID, nowMillis int64) ([]care.SignIn, error)
	Second(practice, staff care.ID) (care.Second, error)
	PutSecond(practice, staff care.ID, s *care.Second) error
	EndSignInsBut(practice, staff, keep care.ID) error
}

// Account is what a member of staff sees of their own account.
type Account struct {
	SignIns  []SignInLine
	Second   bool // codes are asked for at sign-in
	Recovery int  // codes for a lost device that are left
	Least    int  // characters that a new password needs
	Help     []HelpLine
	Linked   []care.Identity
	Passkeys []care.Passkey
}

// SignInLine is one browser in which somebody is signed in.
type SignInLine struct {
	ID       care.ID
	AtMillis int64
	Device   string
	This     bool // the one that asks
}

// maxCodeFailures is how many wrong codes end a sign-in that waits for one.
const maxCodeFailures = 5

// Account returns the actor's own account.
func (a *App) Account(ctx context.Context, actor care.Actor) (out Account, err error) {
	if !actor.IsStaff() {
		return out, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		out = Account{}
		all, err := tx.SignIns(actor.Practice, actor.Staff, a.nowMillis())
		if err != nil {
			return err
		}
		for _, s := range all {
			if !s.Waits {
				out.SignIns = append(out.SignIns, SignInLine{ID: s.ID, AtMillis: s.CreatedMillis, Device: s.Device, This: s.ID == actor.SignIn})
			}
		}
		second, err := tx.Second(actor.Practice, actor.Staff)
		out.Second, out.Recovery, out.Least = err == nil, len(second.Recovery), auth.MinPasswordAlone
		if out.Second {
			out.Least = auth.MinPasswordSecondFactor
		}
		if ignoreMissing(err) != nil {
			return err
		}
		if out.Linked, err = tx.Identities(actor.Practice, actor.Staff); err != nil {
			return err
		}
		if out.Passkeys, err = tx.Passkeys(actor.Practice, actor.Staff); err != nil {
			return err
		}
		out.Help, err = helpLines(tx, actor.Practice, actor.Staff)
		return err
	})
	return out, err
}

func ignoreMissing(err error) error {
	if care.CodeOf(err) == care.NotFound {
		return nil
	}
	return err
}

// EndSignIns ends one of the actor's own sign-ins, or with "" all but the one
// that asks. Errors: not_found for one that is not theirs.
func (a *App) EndSignIns(ctx context.Context, actor care.Actor, id care.ID) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error { return a.endSignIns(tx, actor, id) })
}

func (a *App) endSignIns(tx Tx, actor care.Actor, id care.ID) error {
	all, err := tx.SignIns(actor.Practice, actor.Staff, a.nowMillis())
	if err != nil {
		return err
	}
	if id != "" && !slices.ContainsFunc(all, func(s care.SignIn) bool { return s.ID == id }) {
		return care.Missing()
	}
	for _, s := range all {
		if s.ID != id && (id != "" || s.ID == actor.SignIn) {
			continue
		}
		if err := tx.EndSignIn(actor.Practice, s.ID); err != nil {
			return err
		}
		if err := a.audit(tx, actor, "end_sign_in", s.ID, "", false); err != nil {
			return err
		}
	}
	if id != "" {
		return nil
	}
	return tx.EndSignInsBut(actor.Practice, actor.Staff, actor.SignIn) // also those that the list leaves out
}

// ChangePassword sets a new password and ends every other sign-in of the actor.
// With a second factor it may be shorter. They are told by mail. Errors: invalid for a wrong old one or
// a weak new one.
func (a *App) ChangePassword(ctx context.Context, actor care.Actor, old, password string) error {
	s, err := a.proved(ctx, actor, old)
	if err != nil {
		return err
	}
	practice, least, err := a.passwordRule(ctx, s)
	if err != nil {
		return err
	}
	hash, err := newPassword(ctx, least, password, s.Name, s.Email, practice.Name)
	if err != nil {
		return err
	}
	err = a.write(ctx, func(tx Tx) error {
		if least < auth.MinPasswordAlone {
			if _, err := tx.Second(s.Practice, s.ID); err != nil { // gone in between
				return err
			}
		}
		if err := tx.SetPassword(s.Practice, s.ID, hash); err != nil {
			return err
		}
		if err := a.audit(tx, actor, "change_password", s.ID, "", false); err != nil {
			return err
		}
		if least == auth.MinPasswordAlone { // whoever was let in by a short one only
			if err := a.lengthened(tx, actor); err != nil {
				return err
			}
		}
		return a.endSignIns(tx, actor, "")
	})
	if err == nil {
		a.tellOfAccount(ctx, s)
	}
	return err
}

// lengthened lets a sign-in by a password that was too short do everything again.
func (a *App) lengthened(tx Tx, actor care.Actor) error {
	all, err := tx.SignIns(actor.Practice, actor.Staff, a.nowMillis())
	for _, s := range all {
		if s.ID == actor.SignIn && s.Proof == care.ByShortPassword {
			return tx.SetProof(actor.Practice, s.ID, care.ByPassword)
		}
	}
	return err
}

// passwordRule tells how long a password of s must be at least, and of which
// practice's name it may not be made.
func (a *App) passwordRule(ctx context.Context, s care.Staff) (p care.Practice, least int, err error) {
	err = a.read(ctx, func(tx Tx) error {
		if p, err = tx.Practice(s.Practice); err != nil {
			return err
		}
		least = auth.MinPasswordAlone
		switch _, err := tx.Second(s.Practice, s.ID); care.CodeOf(err) {
		case "":
			least = auth.MinPasswordSecondFactor
		case care.NotFound:
		default:
			return err
		}
		return nil
	})
	return p, least, err
}

// proved asks for the actor's password again before something that would let a
// thief of the browser stay.
func (a *App) proved(ctx context.Context, actor care.Actor, password string) (s care.Staff, err error) {
	if !actor.IsStaff() {
		return s, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		if s, err = tx.Staff(actor.Practice, actor.Staff); err != nil {
			return err
		}
		if show, err := a.mustShow(tx, actor); err != nil || !show {
			return err
		}
		return care.Bad("old", "passkey.show_first")
	})
	if err != nil {
		return s, err
	}
	if err := a.throttle(ctx, Credentials{Email: s.Email, Address: "again"}); err != nil {
		return s, err
	}
	ok, err := auth.VerifyPassword(ctx, password, s.PasswordHash)
	if err != nil {
		return s, &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: err}
	}
	if !ok {
		return s, care.Bad("old", "account.password_wrong")
	}
	return s, nil
}

// NewSecond makes the secret that an authenticator app is given; nothing is kept
// until AddSecond.
func (a *App) NewSecond(ctx context.Context, actor care.Actor) (secret, url string, err error) {
	if !actor.IsStaff() {
		return "", "", care.Missing()
	}
	var s care.Staff
	if err = a.read(ctx, func(tx Tx) error { s, err = tx.Staff(actor.Practice, actor.Staff); return err }); err != nil {
		return "", "", err
	}
	return auth.NewTOTP("Entente", s.Email)
}

// AddSecond turns codes on, once the app has shown that it has the secret, and
// returns the codes for a lost device, which are not shown again. They are told by
// mail.
func (a *App) AddSecond(ctx context.Context, actor care.Actor, secret, code, password string) ([]string, error) {
	s, err := a.proved(ctx, actor, password)
	if err != nil {
		return nil, err
	}
	step, ok := auth.CheckTOTP(secret, code, a.cfg.Now(), 0)
	if !ok || len(secret) != 32 {
		return nil, care.Bad("code", "signin.code_wrong")
	}
	codes, hashes := auth.NewRecovery()
	err = a.write(ctx, func(tx Tx) error {
		if err := tx.PutSecond(actor.Practice, actor.Staff, &care.Second{Secret: secret, LastStep: step, Recovery: hashes}); err != nil {
			return err
		}
		return a.audit(tx, actor, "add_second", actor.Staff, "", false)
	})
	if err != nil {
		return nil, err
	}
	a.tellOfAccount(ctx, s)
	return codes, nil
}

// RemoveSecond turns codes off; the actor is told by mail. Errors: invalid for a password that is too short
// to stand alone.
func (a *App) RemoveSecond(ctx context.Context, actor care.Actor, password string) error {
	s, err := a.proved(ctx, actor, password)
	if err != nil {
		return err
	}
	if auth.TooShortAlone(password) {
		return care.Bad("old", "account.password_alone")
	}
	err = a.write(ctx, func(tx Tx) error {
		if err := tx.PutSecond(actor.Practice, actor.Staff, nil); err != nil {
			return err
		}
		return a.audit(tx, actor, "remove_second", actor.Staff, "", false)
	})
	if err == nil {
		a.tellOfAccount(ctx, s)
	}
	return err
}

// ConfirmSignIn turns a sign-in that waits into a real one, by a code of the app
// or one for a lost device. Errors: not_found when none waits, or after the
// fifth wrong code; invalid for a wrong one.
func (a *App) ConfirmSignIn(ctx context.Context, token, code string) (out SignedIn, err error) {
	t, err := auth.ParseToken(token)
	if err != nil {
		return out, care.Missing()
	}
	var failure error
	var throttled bool
	err = a.write(ctx, func(tx Tx) error {
		failure, throttled = nil, false
		si, err := tx.SignInByToken(hashOf(t, "sign_in"), a.nowMillis())
		if err != nil {
			return err
		}
		if !si.Waits {
			return care.Missing()
		}
		n, err := a.codeTries(tx, si.Staff)
		if err != nil {
			return err
		}
		throttled = n == triesByCode+1
		if n > triesByCode {
			failure = &care.Error{Code: care.Unavailable, Field: "code", Key: "error.throttled"}
			return nil
		}
		second, err := tx.Second(si.Practice, si.Staff)
		if err != nil {
			return err
		}
		if !takeCode(&second, code, a) {
			failure = care.Bad("code", "signin.code_wrong")
			if err := a.audit(tx, care.Actor{Practice: si.Practice, Staff: si.Staff}, "sign_in_failed", si.ID, "", false); err != nil {
				return err
			}
			if si.PINFailures+1 >= maxCodeFailures {
				failure = care.Missing()
				return tx.EndSignIn(si.Practice, si.ID)
			}
			return tx.CountPINFailure(si.Practice, si.ID)
		}
		if err := tx.PutSecond(si.Practice, si.Staff, &second); err != nil {
			return err
		}
		if err := tx.EndSignIn(si.Practice, si.ID); err != nil {
			return err
		}
		s, err := tx.Staff(si.Practice, si.Staff)
		if err != nil {
			return err
		}
		out, err = a.signIn(tx, s, si.Device, care.ByTwo)
		return err
	})
	if err == nil {
		if throttled {
			a.logThrottled(ctx, "codes", "one account")
		}
		if failure != nil {
			a.logRefused(ctx, "code")
		}
		err = failure
	}
	return out, err
}

func takeCode(second *care.Second, code string, a *App) bool {
	step, ok := auth.CheckTOTP(second.Secret, code, a.cfg.Now(), second.LastStep)
	if ok {
		second.LastStep = step
		return true
	}
	second.Recovery, ok = auth.UseRecovery(code, second.Recovery)
	return ok
}

// triesByCode is how many codes of one account may be tried in a window, over
// all sign-ins that wait: whoever knows the password guesses one in 10,000.
const triesByCode = 30

func (a *App) codeTries(tx Tx, staff care.ID) (int64, error) {
	window := a.nowMillis() / throttleWindow.Milliseconds() * throttleWindow.Milliseconds()
	sum := sha256.Sum256([]byte("code|" + string(staff)))
	return tx.Hit(hex.EncodeToString(sum[:16]), window, window-throttleWindow.Milliseconds())
}
