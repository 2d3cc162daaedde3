// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

type providerTx interface {
	AddFlow(f care.Flow, nowMillis int64) error
	TakeFlow(stateHash []byte, nowMillis int64) (care.Flow, error)
	AddIdentity(i care.Identity) (bool, error)
	IdentityByToken(hash []byte) (care.Identity, error)
	Identities(practice, staff care.ID) ([]care.Identity, error)
	EndIdentity(practice, staff, id care.ID) error
}

// Provider is an outside service that says who somebody is. Its errors are
// care.Error: invalid for an answer that must not be believed, unavailable when
// it cannot be asked.
type Provider interface {
	ID() string   // short, in addresses
	Name() string // what people read
	Address(ctx context.Context, b ProviderBegun) (string, error)
	Identify(ctx context.Context, b ProviderBegun, code, iss string) (ProviderIdentity, error)
}

// ProviderBegun is what an attempt was begun with; Nonce and Verifier are secrets
// of the browser that began it.
type ProviderBegun struct{ Redirect, State, Nonce, Verifier string }

// ProviderIdentity is who a provider says that somebody is.
type ProviderIdentity struct {
	Issuer, Subject string
	Email           string // "" unless the provider vouches for it
	Second          bool   // by two factors, as the operator has said what counts
}

// ProviderName is a provider as people see it.
type ProviderName struct{ ID, Name string }

// ProviderSent is where somebody is sent, and the secret their browser keeps
// until they are back.
type ProviderSent struct {
	ProviderName
	Address string
	Browser string
	Expires time.Time
}

// ProviderBack is what somebody brings back from a provider.
type ProviderBack struct {
	Provider, Redirect, State, Code, Iss, Failure string
	Browser                                       string // the secret that the browser kept
	Device                                        string
}

// ProviderDone is what came of it.
type ProviderDone struct {
	SignedIn SignedIn
	Linked   bool // nobody was signed in: an account was linked
}

// flowLasts is how long somebody may take to sign in at a provider.
const flowLasts = 10 * time.Minute

// Providers lists those by which staff may come in.
func (a *App) Providers() (out []ProviderName) {
	for _, p := range a.cfg.Providers {
		out = append(out, ProviderName{p.ID(), p.Name()})
	}
	return out
}

func (a *App) provider(id string) (Provider, error) {
	for _, p := range a.cfg.Providers {
		if p.ID() == id {
			return p, nil
		}
	}
	return nil, care.Missing()
}

// BeginProvider sends somebody to a provider to sign in. Errors: not_found for
// one that is not set up; unavailable when it cannot be asked, or after too many
// tries from an address.
func (a *App) BeginProvider(ctx context.Context, provider, redirect, address string) (ProviderSent, error) {
	if _, err := a.provider(provider); err != nil {
		return ProviderSent{}, err
	}
	if err := a.flowThrottled(ctx, address); err != nil {
		return ProviderSent{}, err
	}
	return a.begin(ctx, provider, redirect, care.Actor{})
}

// flowThrottled bounds how many attempts one address can begin: a whole practice
// may stand behind one.
func (a *App) flowThrottled(ctx context.Context, address string) error {
	window := a.nowMillis() / throttleWindow.Milliseconds() * throttleWindow.Milliseconds()
	sum := sha256.Sum256([]byte("flow|" + address))
	var n int64
	err := a.write(ctx, func(tx Tx) (err error) {
		n, err = tx.Hit(hex.EncodeToString(sum[:16]), window, window-throttleWindow.Milliseconds())
		return err
	})
	if err == nil && n == triesByAddress+1 {
		a.logThrottled(ctx, "attempts by a provider or a passkey", "one address")
	}
	if err == nil && n > triesByAddress {
		return &care.Error{Code: care.Unavailable, Key: "error.throttled"}
	}
	return err
}

// BeginLink sends somebody who is signed in to a provider, to link what it calls
// them to their account. It asks for their password again.
func (a *App) BeginLink(ctx context.Context, actor care.Actor, provider, redirect, password string) (ProviderSent, error) {
	if !actor.IsStaff() || actor.SignIn == "" {
		return ProviderSent{}, care.Missing()
	}
	if _, err := a.provider(provider); err != nil {
		return ProviderSent{}, err
	}
	if _, err := a.proved(ctx, actor, password); err != nil {
		return ProviderSent{}, err
	}
	return a.begin(ctx, provider, redirect, actor)
}

func (a *App) begin(ctx context.Context, provider, redirect string, actor care.Actor) (sent ProviderSent, err error) {
	p, err := a.provider(provider)
	if err != nil {
		return sent, err
	}
	state, browser := auth.NewToken(), auth.NewToken()
	address, err := p.Address(ctx, begun(redirect, state.Text(), browser.Text()))
	if err != nil {
		return sent, a.away(ctx, provider, err)
	}
	end := a.cfg.Now().Add(flowLasts)
	f := care.Flow{StateHash: hashOf(state, "flow_state"), BrowserHash: hashOf(browser, "flow_browser"), Provider: provider,
		Practice: actor.Practice, Staff: actor.Staff, SignIn: actor.SignIn, ExpiresMillis: end.UnixMilli()}
	err = a.write(ctx, func(tx Tx) error { return tx.AddFlow(f, a.nowMillis()) })
	return ProviderSent{ProviderName{provider, p.Name()}, address, browser.Text(), end}, err
}

// begun derives what the provider is given from what only the browser has, so
// that the database keeps no secret of an attempt.
func begun(redirect, state, browser string) ProviderBegun {
	derive := func(purpose string) string {
		m := hmac.New(sha256.New, []byte(browser))
		m.Write([]byte("entente/" + purpose + "\x00" + state))
		return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	return ProviderBegun{Redirect: redirect, State: state, Nonce: derive("nonce"), Verifier: derive("verifier")}
}

// mostLogged is how much of what went wrong is logged: a provider's answer may be
// long.
const mostLogged = 300

// away logs why a provider was of no use; people are told in a sentence.
func (a *App) away(ctx context.Context, provider string, err error) error {
	text := err.Error()
	text = text[:min(len(text), mostLogged)]
	a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "no sign-in by a provider", slog.String("provider", provider), slog.String("error", strings.ToValidUTF8(text, "")))
	return err
}

// FinishProvider lets somebody in who comes back from a provider, or links their
// account if they were signed in when they went there. The identity must have
// been linked, and its address be the account's: an address alone opens nothing.
// Errors: not_found for a provider that is not set up; invalid for whatever does
// not fit, with a sentence; unavailable when the provider cannot be asked.
func (a *App) FinishProvider(ctx context.Context, actor care.Actor, in ProviderBack) (done ProviderDone, err error) {
	p, err := a.provider(in.Provider)
	if err != nil {
		return done, err
	}
	f, err := a.takeFlow(ctx, in)
	if err != nil {
		return done, err
	}
	linking := f.Staff != ""
	switch {
	case linking && (actor.Practice != f.Practice || actor.Staff != f.Staff || actor.SignIn != f.SignIn):
		return done, care.Bad("", "with.again")
	case in.Failure != "" || in.Code == "":
		return done, care.Bad("", "with.refused")
	}
	id, err := p.Identify(ctx, begun(in.Redirect, in.State, in.Browser), in.Code, in.Iss)
	if err != nil {
		return done, a.away(ctx, in.Provider, err)
	}
	if linking {
		done.Linked = true
		return done, a.link(ctx, actor, in.Provider, id)
	}
	var refused error
	err = a.write(ctx, func(tx Tx) error {
		done.SignedIn, refused, err = a.enterBy(tx, id, in.Device)
		return err
	})
	if err == nil {
		err = refused
	}
	return done, err
}

// takeFlow finds the attempt that somebody comes back from; it counts once, and
// in the browser that began it only.
func (a *App) takeFlow(ctx context.Context, in ProviderBack) (f care.Flow, err error) {
	again := care.Bad("", "with.again")
	state, stateErr := auth.ParseToken(in.State)
	browser, browserErr := auth.ParseToken(in.Browser)
	if stateErr != nil || browserErr != nil {
		return f, again
	}
	err = a.write(ctx, func(tx Tx) error {
		f, err = tx.TakeFlow(hashOf(state, "flow_state"), a.nowMillis())
		return ignoreMissing(err)
	})
	if err == nil && (f.Provider != in.Provider || subtle.ConstantTimeCompare(f.BrowserHash, hashOf(browser, "flow_browser")) != 1) {
		return care.Flow{}, again
	}
	return f, err
}

// identityHash is by what an identity is found.
func identityHash(id ProviderIdentity) []byte {
	h := sha256.Sum256([]byte("entente/identity\x00" + strconv.Itoa(len(id.Issuer)) + "\x00" + id.Issuer + id.Subject))
	return h[:]
}

func sameAddress(s care.Staff, id ProviderIdentity) bool {
	return id.Email != "" && strings.EqualFold(strings.TrimSpace(id.Email), s.Email)
}

// enterBy opens a sign-in for whoever has linked an identity; refused is told to
// them, and what was noted stays.
func (a *App) enterBy(tx Tx, id ProviderIdentity, device string) (out SignedIn, refused, err error) {
	linked, err := tx.IdentityByToken(identityHash(id))
	if care.CodeOf(err) == care.NotFound {
		return out, care.Bad("", "with.unknown"), nil
	}
	if err != nil {
		return out, nil, err
	}
	s, err := tx.Staff(linked.Practice, linked.Staff)
	if err != nil {
		return out, nil, err
	}
	by := care.Actor{Practice: s.Practice, Staff: s.ID}
	if !sameAddress(s, id) {
		return out, care.Bad("", "with.email"), a.audit(tx, by, "sign_in_failed", s.ID, "", false)
	}
	if err := a.audit(tx, by, "use_identity", linked.ID, "", false); err != nil {
		return out, nil, err
	}
	if id.Second {
		out, err = a.signIn(tx, s, device, care.ByTwo)
	} else {
		out, err = a.enter(tx, s, device, care.ByPassword)
	}
	return out, nil, err
}

func (a *App) link(ctx context.Context, actor care.Actor, provider string, id ProviderIdentity) error {
	var s care.Staff
	err := a.write(ctx, func(tx Tx) (err error) {
		if s, err = tx.Staff(actor.Practice, actor.Staff); err != nil {
			return err
		}
		if !sameAddress(s, id) {
			return care.Bad("", "with.email")
		}
		i := care.Identity{ID: a.cfg.NewID(), Practice: s.Practice, Staff: s.ID, TokenHash: identityHash(id), Provider: provider, Email: id.Email, LinkedMillis: a.nowMillis()}
		added, err := tx.AddIdentity(i)
		if err != nil {
			return err
		}
		if !added {
			return care.Bad("", "with.taken")
		}
		return a.audit(tx, actor, "link_identity", i.ID, "", false)
	})
	if err == nil {
		a.tellOfAccount(ctx, s)
	}
	return err
}

// Unlink removes one of the actor's own links to a provider; it asks for the
// password again. Errors: not_found for one that is not theirs.
func (a *App) Unlink(ctx context.Context, actor care.Actor, id care.ID, password string) error {
	if _, err := a.proved(ctx, actor, password); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		if err := tx.EndIdentity(actor.Practice, actor.Staff, id); err != nil {
			return err
		}
		return a.audit(tx, actor, "unlink_identity", id, "", false)
	})
}

// unlinkAll removes every link of somebody who has lost everything: whoever took
// it over may have made one.
func unlinkAll(tx Tx, practice, staff care.ID) error {
	all, err := tx.Identities(practice, staff)
	if err != nil {
		return err
	}
	for _, i := range all {
		if err := tx.EndIdentity(practice, staff, i.ID); err != nil {
			return err
		}
	}
	return nil
}
