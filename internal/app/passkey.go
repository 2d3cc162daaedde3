// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/passkey"
)

type passkeyTx interface {
	AddPasskey(p care.Passkey) (bool, error)
	PasskeyByToken(hash []byte) (care.Passkey, error)
	Passkeys(practice, staff care.ID) ([]care.Passkey, error)
	UsePasskey(p care.Passkey) error
	EndPasskey(practice, staff, id care.ID) error
}

// PasskeyAsked is what a browser is asked, as JSON for its device, and the secret
// that it keeps until the answer.
type PasskeyAsked struct {
	Options string
	Browser string
	Expires time.Time
}

const (
	passkeyLasts = 5 * time.Minute
	passkeyFlow  = "passkey"
	mostPasskeys = 20
)

// askPasskey begins an attempt: the challenge is kept as a hash, counts once and
// in this browser only.
func (a *App) askPasskey(ctx context.Context, actor care.Actor, options func(challenge string) ([]byte, error)) (PasskeyAsked, error) {
	challenge, browser := auth.NewToken(), auth.NewToken()
	o, err := options(challenge.Text())
	if err != nil {
		return PasskeyAsked{}, err
	}
	end := a.cfg.Now().Add(passkeyLasts)
	f := care.Flow{StateHash: hashOf(challenge, "passkey_challenge"), BrowserHash: hashOf(browser, "passkey_browser"), Provider: passkeyFlow,
		Practice: actor.Practice, Staff: actor.Staff, SignIn: actor.SignIn, ExpiresMillis: end.UnixMilli()}
	err = a.write(ctx, func(tx Tx) error { return tx.AddFlow(f, a.nowMillis()) })
	return PasskeyAsked{string(o), browser.Text(), end}, err
}

// takePasskey finds the attempt that an answer belongs to, and ends it. What is
// refused is told, and the attempt stays ended.
func (a *App) takePasskey(tx Tx, browser string, answer []byte) (f care.Flow, said passkey.Said, refused, err error) {
	again := care.Bad("", "passkey.again")
	if said, err = passkey.Read(answer); err != nil {
		return f, said, errors.Join(again, err), nil
	}
	challenge, badChallenge := auth.ParseToken(said.Challenge)
	kept, badBrowser := auth.ParseToken(browser)
	if badChallenge != nil || badBrowser != nil {
		return f, said, again, nil
	}
	f, err = tx.TakeFlow(hashOf(challenge, "passkey_challenge"), a.nowMillis())
	if ignoreMissing(err) != nil {
		return f, said, nil, err
	}
	if f.Provider != passkeyFlow || subtle.ConstantTimeCompare(f.BrowserHash, hashOf(kept, "passkey_browser")) != 1 {
		return care.Flow{}, said, again, nil
	}
	return f, said, nil, nil
}

// passkeyHash is by what a passkey is found.
func passkeyHash(id []byte) []byte {
	h := sha256.Sum256(append([]byte("entente/passkey\x00"), id...))
	return h[:]
}

func passkeyPerson(s care.Staff) passkey.Person {
	return passkey.Person{ID: string(s.ID), Name: s.Email, Display: s.Name}
}

func credentialsOf(all []care.Passkey) (out []passkey.Credential, err error) {
	for _, p := range all {
		var c passkey.Credential
		if err := json.Unmarshal(p.Credential, &c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// BeginPasskey asks the actor's browser to make a passkey; it asks for their
// password again.
func (a *App) BeginPasskey(ctx context.Context, actor care.Actor, site passkey.Site, password string) (asked PasskeyAsked, err error) {
	if !actor.IsStaff() || actor.SignIn == "" {
		return asked, care.Missing()
	}
	s, err := a.proved(ctx, actor, password)
	if err != nil {
		return asked, err
	}
	var others []passkey.Credential
	err = a.read(ctx, func(tx Tx) error {
		all, err := tx.Passkeys(actor.Practice, actor.Staff)
		if err != nil {
			return err
		}
		if len(all) >= mostPasskeys {
			return care.Bad("", "passkey.too_many")
		}
		others, err = credentialsOf(all)
		return err
	})
	if err != nil {
		return asked, err
	}
	return a.askPasskey(ctx, actor, func(challenge string) ([]byte, error) { return site.Add(passkeyPerson(s), others, challenge) })
}

// AddPasskey keeps the passkey that the actor's device has made; they are told by
// mail. Errors: invalid for an answer that must not be believed.
func (a *App) AddPasskey(ctx context.Context, actor care.Actor, site passkey.Site, name, browser string, answer []byte) error {
	if !actor.IsStaff() || actor.SignIn == "" {
		return care.Missing()
	}
	if name = strings.TrimSpace(name); name != "" {
		if err := checkName("name", name); err != nil {
			return err
		}
	}
	var s care.Staff
	var refused error
	err := a.write(ctx, func(tx Tx) (err error) {
		if s, err = tx.Staff(actor.Practice, actor.Staff); err != nil {
			return err
		}
		refused, err = a.keepPasskey(tx, actor, s, site, name, browser, answer)
		return err
	})
	if err == nil && refused != nil {
		err = a.passkeyRefused(ctx, refused)
	}
	if err == nil {
		a.tellOfAccount(ctx, s)
	}
	return err
}

func (a *App) keepPasskey(tx Tx, actor care.Actor, s care.Staff, site passkey.Site, name, browser string, answer []byte) (refused, err error) {
	f, said, refused, err := a.takePasskey(tx, browser, answer)
	if err != nil || refused != nil {
		return refused, err
	}
	if f.Practice != actor.Practice || f.Staff != actor.Staff || f.SignIn != actor.SignIn {
		return care.Bad("", "passkey.again"), nil
	}
	// Questions begun side by side were all asked of fewer.
	if all, err := tx.Passkeys(s.Practice, s.ID); err != nil || len(all) >= mostPasskeys {
		return care.Bad("", "passkey.too_many"), err
	}
	made, refused := site.Added(passkeyPerson(s), said.Challenge, answer)
	if refused != nil {
		return refused, nil
	}
	kept, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	p := care.Passkey{ID: a.cfg.NewID(), Practice: s.Practice, Staff: s.ID, TokenHash: passkeyHash(made.ID), Name: name, Credential: kept, CreatedMillis: a.nowMillis()}
	added, err := tx.AddPasskey(p)
	if err != nil {
		return nil, err
	}
	if !added {
		return care.Bad("", "passkey.taken"), nil
	}
	// Whoever has just made it has shown a password and their device.
	if err := tx.SetProof(actor.Practice, actor.SignIn, care.ByTwo); err != nil {
		return nil, err
	}
	return nil, a.audit(tx, actor, "add_passkey", p.ID, "", false)
}

// RemovePasskey takes one of the actor's own passkeys away; it asks for the
// password again. Errors: not_found for one that is not theirs.
func (a *App) RemovePasskey(ctx context.Context, actor care.Actor, id care.ID, password string) error {
	s, err := a.proved(ctx, actor, password)
	if err != nil {
		return err
	}
	err = a.write(ctx, func(tx Tx) error {
		if err := tx.EndPasskey(actor.Practice, actor.Staff, id); err != nil {
			return err
		}
		return a.audit(tx, actor, "remove_passkey", id, "", false)
	})
	if err == nil {
		a.tellOfAccount(ctx, s)
	}
	return err
}

// BeginPasskeySignIn asks a browser for a passkey, of whomever. Errors:
// unavailable after too many tries from an address.
func (a *App) BeginPasskeySignIn(ctx context.Context, site passkey.Site, address string) (PasskeyAsked, error) {
	if err := a.flowThrottled(ctx, address); err != nil {
		return PasskeyAsked{}, err
	}
	return a.askPasskey(ctx, care.Actor{}, site.Show)
}

// PasskeySignIn lets in whoever has shown a passkey: it is two factors. Errors:
// invalid for an answer that must not be believed, in one sentence for all of them.
func (a *App) PasskeySignIn(ctx context.Context, site passkey.Site, browser string, answer []byte, device string) (out SignedIn, err error) {
	var refused error
	err = a.write(ctx, func(tx Tx) (err error) {
		out, refused, err = a.enterByPasskey(tx, site, browser, answer, device)
		return err
	})
	if err == nil && refused != nil {
		err = a.passkeyRefused(ctx, refused)
	}
	return out, err
}

// enterByPasskey opens a sign-in; refused is told, and what was noted stays.
func (a *App) enterByPasskey(tx Tx, site passkey.Site, browser string, answer []byte, device string) (out SignedIn, refused, err error) {
	f, said, refused, err := a.takePasskey(tx, browser, answer)
	if err != nil || refused != nil {
		return out, refused, err
	}
	if f.Staff != "" { // begun to add one
		return out, care.Bad("", "passkey.again"), nil
	}
	p, err := tx.PasskeyByToken(passkeyHash(said.Credential))
	if care.CodeOf(err) == care.NotFound {
		return out, errors.New("no account has it"), nil
	}
	if err != nil {
		return out, nil, err
	}
	s, err := tx.Staff(p.Practice, p.Staff)
	if err != nil {
		return out, nil, err
	}
	known, err := credentialsOf([]care.Passkey{p})
	if err != nil {
		return out, nil, err
	}
	by := care.Actor{Practice: s.Practice, Staff: s.ID}
	now, refused := site.Shown(passkeyPerson(s), known[0], said.Challenge, answer)
	if refused != nil {
		return out, refused, a.audit(tx, by, "sign_in_failed", s.ID, "", false)
	}
	if p.Credential, err = json.Marshal(now); err != nil {
		return out, nil, err
	}
	p.UsedMillis = a.nowMillis()
	if err := tx.UsePasskey(p); err != nil {
		return out, nil, err
	}
	if err := a.audit(tx, by, "use_passkey", p.ID, "", false); err != nil {
		return out, nil, err
	}
	out, err = a.signIn(tx, s, device, care.ByTwo)
	return out, nil, err
}

// passkeyRefused logs why; people are told in a sentence that helps nobody who
// tries somebody else's.
func (a *App) passkeyRefused(ctx context.Context, err error) error {
	text := err.Error()
	text = text[:min(len(text), mostLogged)]
	a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a passkey was refused", slog.String("error", strings.ToValidUTF8(text, "")))
	if care.CodeOf(err) == care.Invalid {
		return err
	}
	return errors.Join(care.Bad("", "passkey.refused"), err)
}

// dropPasskeys removes every passkey of a person.
func dropPasskeys(tx Tx, practice, staff care.ID) error {
	all, err := tx.Passkeys(practice, staff)
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := tx.EndPasskey(practice, staff, p.ID); err != nil {
			return err
		}
	}
	return nil
}
