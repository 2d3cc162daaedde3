// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

type helpTx interface {
	AddHelp(h care.Help) error
	HelpFor(practice, staff care.ID, limit int) ([]care.Help, error)
	SetProof(practice, signIn care.ID, p care.Proof) error
}

// AccountNoticer sends a member of staff mails about how they sign in: that it was
// changed, or a link to choose a password. A Mailer that is one too is asked to.
type AccountNoticer interface {
	SendAccountNotice(ctx context.Context, to, language string) error
	// SendPasswordLink mails the link by which somebody chooses a password.
	SendPasswordLink(ctx context.Context, to, language, token string) error
}

// ColleagueView is what a manager sees of how a colleague signs in.
type ColleagueView struct {
	Colleague
	SignIns int // in how many browsers they are signed in now
	Help    []HelpLine
	Ending  Ending
	Self    bool // it is the actor's own: the account page is the place
}

// HelpLine is one thing done to somebody's sign-ins.
type HelpLine struct {
	care.Help
	Who string // "" for the operator of the server
}

// shownHelp is how many of the newest are shown.
const shownHelp = 20

// NewHelp is what a manager wants done, and why.
type NewHelp struct {
	Kind   care.HelpKind
	Reason string
}

// hasSecond reports whether a person has a second factor of their own.
func hasSecond(tx Tx, practice, staff care.ID) (bool, error) {
	_, err := tx.Second(practice, staff)
	return err == nil, ignoreMissing(err)
}

// hasTwo reports whether a person can sign in by two factors at all: codes, or a
// passkey. Codes are asked for after a password, a passkey is not.
func hasTwo(tx Tx, practice, staff care.ID) (bool, error) {
	has, err := hasSecond(tx, practice, staff)
	if err != nil || has {
		return has, err
	}
	all, err := tx.Passkeys(practice, staff)
	return len(all) > 0, err
}

// dropSecond takes every second factor of a person away, and their passkeys, which
// are two at once.
func dropSecond(tx Tx, practice, staff care.ID) error {
	return errors.Join(tx.PutSecond(practice, staff, nil), dropPasskeys(tx, practice, staff))
}

// must is what a person has to do before anything else: "" for nothing.
func (a *App) must(tx Tx, p care.Practice, si care.SignIn) (Must, error) {
	demanded := p.Rules.DemandsSecond(a.nowMillis()) && si.Proof != care.ByTwo
	if !demanded && si.Proof != care.ByShortPassword {
		return "", nil
	}
	has, err := hasSecond(tx, si.Practice, si.Staff)
	switch {
	case err != nil || has:
		return "", err
	case !demanded:
		return MustLengthen, nil
	}
	// Whoever has a passkey has to show it: otherwise a password alone would be enough
	// to add another one.
	if has, err = hasTwo(tx, si.Practice, si.Staff); err != nil || has {
		return MustShowPasskey, err
	}
	return MustAddSecond, nil
}

// mustShow reports whether the actor has signed in by less than what their account
// has, where two factors are demanded.
func (a *App) mustShow(tx Tx, actor care.Actor) (bool, error) {
	all, err := tx.SignIns(actor.Practice, actor.Staff, a.nowMillis())
	if err != nil {
		return false, err
	}
	for _, si := range all {
		if si.ID != actor.SignIn {
			continue
		}
		p, err := tx.Practice(actor.Practice)
		if err != nil {
			return false, err
		}
		m, err := a.must(tx, p, si)
		return m == MustShowPasskey, err
	}
	return false, nil
}

// Must is what somebody who is signed in has to do before anything else.
type Must string

// What can be demanded.
const (
	MustAddSecond   Must = "second"   // set up a second factor: the practice demands it
	MustShowPasskey Must = "passkey"  // sign in by the passkey that they have
	MustLengthen    Must = "lengthen" // choose a longer password, or set up a second factor
)

// Colleague shows a manager how a colleague signs in. Errors: not_found.
func (a *App) Colleague(ctx context.Context, actor care.Actor, id care.ID) (v ColleagueView, err error) {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return v, err
	}
	err = a.read(ctx, func(tx Tx) error {
		s, err := tx.Staff(actor.Practice, id)
		if err != nil {
			return err
		}
		v = ColleagueView{Colleague: Colleague{ID: s.ID, Name: s.Name, Email: s.Email, Roles: s.Roles, Joined: s.PasswordHash != "", Ended: s.Ended()}, Self: s.ID == actor.Staff}
		if v.Second, err = hasTwo(tx, s.Practice, s.ID); err != nil {
			return err
		}
		all, err := tx.SignIns(s.Practice, s.ID, a.nowMillis())
		if err != nil {
			return err
		}
		v.SignIns = len(all)
		if v.Help, err = helpLines(tx, s.Practice, s.ID); err != nil {
			return err
		}
		v.Ending, err = ending(tx, s)
		return err
	})
	return v, err
}

func helpLines(tx Tx, practice, staff care.ID) (out []HelpLine, err error) {
	all, err := tx.HelpFor(practice, staff, shownHelp)
	if err != nil {
		return nil, err
	}
	for _, h := range all {
		l := HelpLine{Help: h}
		if h.By != "" {
			s, err := tx.Staff(practice, h.By)
			if err != nil {
				return nil, err
			}
			l.Who = s.Name
		}
		out = append(out, l)
	}
	return out, nil
}

// HelpColleague ends a colleague's sign-ins, takes their second factor away as
// well, or mails a link to choose a password to their own address. It asks for the manager's password again and for a reason, which the
// colleague can read; they are told by mail. Errors: not_found; invalid for a
// reason that says nothing, a wrong password, the actor's own account, or a mail
// where mailing is not set up; unavailable help.mail_failed when it was not taken.
func (a *App) HelpColleague(ctx context.Context, actor care.Actor, id care.ID, in NewHelp, password string) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	var target care.Staff
	err := a.read(ctx, func(tx Tx) (err error) {
		target, err = tx.Staff(actor.Practice, id)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case id == actor.Staff:
		return care.Bad("reason", "help.own")
	case target.Ended():
		return care.Bad("reason", "ending.ended")
	case in.Kind != care.EndedSignIns && in.Kind != care.ResetSecond && in.Kind != care.SentLink:
		return care.Bad("kind", "field.choice")
	}
	mail, canMail := a.cfg.Mail.(AccountNoticer)
	if in.Kind == care.SentLink && !canMail {
		return care.Bad("kind", "mail.not_set_up")
	}
	reason, err := reasonOf(in.Reason)
	if err != nil {
		return err
	}
	if _, err := a.proved(ctx, actor, password); err != nil {
		return err
	}
	h := care.Help{ID: a.cfg.NewID(), Practice: actor.Practice, Staff: id, By: actor.Staff, Kind: in.Kind, Reason: reason, AtMillis: a.nowMillis()}
	if in.Kind != care.SentLink {
		err := a.write(ctx, func(tx Tx) error { return a.help(tx, actor, h) })
		if err == nil {
			a.tellOfAccount(ctx, target)
		}
		return err
	}
	t := auth.NewToken()
	j := care.Join{Practice: target.Practice, Staff: target.ID, TokenHash: hashOf(t, "join"), ExpiresMillis: a.cfg.Now().Add(recoveryLasts).UnixMilli()}
	err = a.write(ctx, func(tx Tx) error {
		if err := tx.PutJoin(j); err != nil {
			return err
		}
		return a.noteHelp(tx, actor, h)
	})
	if err != nil {
		return err
	}
	if err := mail.SendPasswordLink(ctx, target.Email, target.Language, t.Text()); err != nil {
		a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a link to choose a password could not be mailed", slog.String("error", string(care.CodeOf(err))))
		return &care.Error{Code: care.Unavailable, Field: "kind", Key: "help.mail_failed", Err: err}
	}
	return nil
}

func reasonOf(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch n := len([]rune(text)); {
	case n < leastReason:
		return "", care.Bad("reason", "help.reason_short")
	case n > 2000:
		return "", care.Bad("reason", "field.too_long")
	}
	return text, nil
}

// help does what h says and keeps that it was done.
func (a *App) help(tx Tx, actor care.Actor, h care.Help) error {
	if err := a.endAll(tx, h.Practice, h.Staff); err != nil {
		return err
	}
	if h.Kind != care.EndedSignIns {
		if err := dropSecond(tx, h.Practice, h.Staff); err != nil {
			return err
		}
	}
	if h.Kind == care.Recovered {
		if err := unlinkAll(tx, h.Practice, h.Staff); err != nil {
			return err
		}
	}
	return a.noteHelp(tx, actor, h)
}

// endAll ends every sign-in of a person, also one that a clock ahead of time made.
func (a *App) endAll(tx Tx, practice, staff care.ID) error {
	return tx.EndSignInsBut(practice, staff, "")
}

func (a *App) noteHelp(tx Tx, actor care.Actor, h care.Help) error {
	if err := tx.AddHelp(h); err != nil {
		return err
	}
	return a.audit(tx, actor, "help_"+string(h.Kind), h.Staff, "", false)
}

// tellOfAccount mails that the way somebody signs in was changed. It stands on
// their account page all the same.
func (a *App) tellOfAccount(ctx context.Context, s care.Staff) {
	n, ok := a.cfg.Mail.(AccountNoticer)
	if !ok {
		return
	}
	if err := n.SendAccountNotice(ctx, s.Email, s.Language); err != nil {
		a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a notice could not be mailed", slog.String("error", string(care.CodeOf(err))))
	}
}

// recoveryLasts is how long the operator's link to choose a password opens.
const recoveryLasts = joinLasts / 7

// RecoverAccount is for the operator of the server, where no manager can help:
// it ends the sign-ins of an account, takes its second factor and its links to
// providers away and makes a link by which its owner chooses a password. Errors: not_found for an address
// that no account has; invalid for a reason that says nothing.
func (a *App) RecoverAccount(ctx context.Context, email, reason string) (Link, error) {
	reason, err := reasonOf(reason)
	if err != nil {
		return Link{}, err
	}
	t := auth.NewToken()
	end := a.cfg.Now().Add(recoveryLasts).UnixMilli()
	var s care.Staff
	err = a.write(ctx, func(tx Tx) error {
		if s, err = staffByEmail(tx, email); err != nil {
			return err
		}
		if s.Ended() {
			return care.Missing()
		}
		h := care.Help{ID: a.cfg.NewID(), Practice: s.Practice, Staff: s.ID, Kind: care.Recovered, Reason: reason, AtMillis: a.nowMillis()}
		if err := a.help(tx, care.Actor{Practice: s.Practice}, h); err != nil {
			return err
		}
		return tx.PutJoin(care.Join{Practice: s.Practice, Staff: s.ID, TokenHash: hashOf(t, "join"), ExpiresMillis: end})
	})
	if err != nil {
		return Link{}, err
	}
	a.tellOfAccount(ctx, s)
	return Link{Token: t.Text(), Expires: end}, nil
}

// staffByEmail finds an account in any practice of the database.
func staffByEmail(tx Tx, email string) (s care.Staff, err error) {
	ps, err := tx.Practices()
	if err != nil {
		return s, err
	}
	for _, p := range ps {
		if s, err = tx.StaffByEmail(p.ID, email); care.CodeOf(err) != care.NotFound {
			return s, err
		}
	}
	return s, care.Missing()
}

// Accounts lists every account of the database, for the operator of the server.
func (a *App) Accounts(ctx context.Context) (out []OperatorLine, err error) {
	err = a.read(ctx, func(tx Tx) error {
		out = nil
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		for _, p := range ps {
			all, err := tx.AllStaff(p.ID)
			if err != nil {
				return err
			}
			for _, s := range all {
				l := OperatorLine{Practice: p.Name, Email: s.Email, Roles: s.Roles, Joined: s.PasswordHash != "", Ended: s.Ended()}
				if l.Second, err = hasTwo(tx, p.ID, s.ID); err != nil {
					return err
				}
				out = append(out, l)
			}
		}
		return nil
	})
	return out, err
}

// OperatorLine is an account as the operator of the server sees it.
type OperatorLine struct {
	Practice, Email string
	Roles           []care.Role
	Joined, Second  bool
	Ended           bool
}
