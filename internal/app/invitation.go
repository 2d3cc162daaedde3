// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"time"

	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

type invitationTx interface {
	AddInvitation(care.Invitation) error
	Invitation(practice, id care.ID) (care.Invitation, error)
	InvitationByToken(hash []byte, nowMillis int64) (care.Invitation, error)
	InvitedNow(practice, session, client, person care.ID, nowMillis int64) (bool, error)
}

type visitTx interface {
	InvitationByVisit(hash []byte, nowMillis int64) (care.Invitation, error)
	SetVisit(practice, id care.ID, hash []byte) error
}

const (
	invitationLasts = 72 * time.Hour
	kioskLasts      = 30 * time.Minute
	pinTries        = 5
)

// Invite makes a link to the client's forms of a session that took place; an
// earlier link of the same session ends.
func (a *App) Invite(ctx context.Context, actor care.Actor, session care.ID) (Link, error) {
	link, _, err := a.invite(ctx, actor, session, "", care.ByLink)
	return link, err
}

// MailInvitation mails a new link to the client. Errors: invalid when there is
// no address or mailing is not set up; unavailable mail.failed when the mail
// server did not take it.
func (a *App) MailInvitation(ctx context.Context, actor care.Actor, session care.ID) error {
	return a.mailLink(ctx, actor, session, "")
}

func (a *App) mailLink(ctx context.Context, actor care.Actor, session, person care.ID) error {
	link, to, err := a.invite(ctx, actor, session, person, care.ByMail)
	if err != nil {
		return err
	}
	if err := a.cfg.Mail.SendLink(ctx, to.email, to.language, link.Token); err != nil {
		a.cfg.Log.ErrorContext(ctx, "a mail was not sent", "invitation_of", session, "err", err)
		return &care.Error{Code: care.Unavailable, Field: "email", Key: "mail.failed", Err: err}
	}
	return nil
}

// addressee is where a link is mailed to, and in which language.
type addressee struct{ email, language string }

// invite makes a link for the client of a session, or for the carer who person is.
func (a *App) invite(ctx context.Context, actor care.Actor, session, person care.ID, by care.Channel) (link Link, to addressee, err error) {
	t := auth.NewToken()
	now := a.cfg.Now()
	link = Link{Token: t.Text(), Expires: now.Add(invitationLasts).UnixMilli()}
	err = a.write(ctx, func(tx Tx) error {
		s, e, err := a.askable(tx, actor, session)
		if err != nil {
			return err
		}
		c, err := tx.Client(actor.Practice, e.Clients[0])
		if err != nil {
			return err
		}
		to = addressee{c.Email, c.Language}
		if person != "" {
			x, err := carerOf(tx, c, person)
			if err != nil {
				return err
			}
			to = addressee{x.Content.Email, x.Content.Language}
		}
		if by == care.ByMail {
			if err := a.mailable(to); err != nil {
				return err
			}
		}
		i := care.Invitation{ID: a.cfg.NewID(), Practice: actor.Practice, Session: s.ID, Episode: e.ID, Client: c.ID, Person: person, Channel: by,
			TokenHash: hashOf(t, "invitation"), CreatedMillis: now.UnixMilli(), ExpiresMillis: link.Expires}
		if err := tx.AddInvitation(i); err != nil {
			return err
		}
		return a.audit(tx, actor, "invite_"+string(by), i.ID, e.ID, true)
	})
	if err != nil {
		return Link{}, to, err
	}
	return link, to, nil
}

func (a *App) mailable(to addressee) error {
	switch {
	case a.cfg.Mail == nil:
		return care.Bad("email", "mail.not_set_up")
	case to.email == "":
		return care.Bad("email", "mail.no_address")
	}
	return nil
}

// askable returns a session whose client can be asked by the actor now.
func (a *App) askable(tx Tx, actor care.Actor, session care.ID) (care.Session, care.Episode, error) {
	s, e, err := a.sessionFor(tx, actor, care.RunSessions, session)
	if err == nil && s.Status != care.Held {
		err = care.Bad("session", "session.not_held")
	}
	if err == nil {
		err = a.consentMet(tx, actor.Practice, e.Clients[0], care.Bad("session", "consent.blocked"))
	}
	return s, e, err
}

// StartKiosk hands this device to the client: the actor's sign-in is locked
// behind a PIN, and the returned visit opens the forms of the session only.
func (a *App) StartKiosk(ctx context.Context, actor care.Actor, session care.ID, pin string) (Link, error) {
	if !actor.IsStaff() {
		return Link{}, care.Missing()
	}
	hash, err := auth.NewPINHash(ctx, pin)
	if err != nil {
		return Link{}, care.Bad("pin", "kiosk.pin")
	}
	t, unused := auth.NewToken(), auth.NewToken()
	now := a.cfg.Now()
	link := Link{Token: t.Text(), Expires: now.Add(kioskLasts).UnixMilli()}
	err = a.write(ctx, func(tx Tx) error {
		s, e, err := a.askable(tx, actor, session)
		if err != nil {
			return err
		}
		i := care.Invitation{ID: a.cfg.NewID(), Practice: actor.Practice, Session: s.ID, Episode: e.ID, Client: e.Clients[0], Channel: care.ByKiosk,
			TokenHash: hashOf(unused, "invitation"), VisitHash: hashOf(t, "visit"), CreatedMillis: now.UnixMilli(), ExpiresMillis: link.Expires}
		if err := tx.AddInvitation(i); err != nil {
			return err
		}
		if err := tx.SetKiosk(actor.Practice, actor.SignIn, hash); err != nil {
			return err
		}
		return a.audit(tx, actor, "start_kiosk", i.ID, e.ID, true)
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// LeaveKiosk unlocks the sign-in behind token with the PIN it was locked with.
// Errors: invalid kiosk.pin_wrong; after five wrong PINs the sign-in ends and
// the error is not_found.
func (a *App) LeaveKiosk(ctx context.Context, token, pin string) error {
	t, err := auth.ParseToken(token)
	if err != nil {
		return care.Missing()
	}
	var si care.SignIn
	if err := a.read(ctx, func(tx Tx) error {
		si, err = tx.SignInByToken(hashOf(t, "sign_in"), a.nowMillis())
		return err
	}); err != nil {
		return err
	}
	if si.KioskPINHash == "" {
		return nil
	}
	ok, err := auth.VerifyPIN(ctx, pin, si.KioskPINHash)
	if err != nil {
		ok = false // a PIN that is none is a wrong one
	}
	actor := care.Actor{Practice: si.Practice, Staff: si.Staff, SignIn: si.ID}
	ended := false
	if err := a.write(ctx, func(tx Tx) error {
		ended = false
		// Looked at again: of many PINs tried at once each counts, and none after the last.
		now, err := tx.SignInByToken(hashOf(t, "sign_in"), a.nowMillis())
		if err != nil {
			return err
		}
		if now.KioskPINHash == "" {
			return nil
		}
		si.PINFailures = now.PINFailures
		switch {
		case ok:
			if err := tx.SetKiosk(si.Practice, si.ID, ""); err != nil {
				return err
			}
			return a.audit(tx, actor, "leave_kiosk", si.ID, "", false)
		case si.PINFailures+1 >= pinTries:
			ended = true
			if err := tx.EndSignIn(si.Practice, si.ID); err != nil {
				return err
			}
			return a.audit(tx, actor, "kiosk_locked_out", si.ID, "", false)
		}
		return tx.CountPINFailure(si.Practice, si.ID)
	}); err != nil {
		return err
	}
	switch {
	case ended:
		return care.Missing()
	case !ok:
		return care.Bad("pin", "kiosk.pin_wrong")
	}
	return nil
}

// OpenInvitation exchanges a link's token for a visit: the secret of the
// browser's cookie. Unknown, expired and ended links all give the same not_found.
func (a *App) OpenInvitation(ctx context.Context, token string) (Link, error) {
	t, err := auth.ParseToken(token)
	if err != nil {
		return Link{}, care.Missing()
	}
	visit := auth.NewToken()
	link := Link{Token: visit.Text()}
	err = a.write(ctx, func(tx Tx) error {
		i, err := tx.InvitationByToken(hashOf(t, "invitation"), a.nowMillis())
		if err != nil {
			return err
		}
		link.Expires = i.ExpiresMillis
		if err := tx.SetVisit(i.Practice, i.ID, hashOf(visit, "visit")); err != nil {
			return err
		}
		return a.audit(tx, care.Actor{Practice: i.Practice, Invitation: i.ID}, "open_invitation", i.ID, i.Episode, false)
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// Respondent tells who a visit's cookie stands for. Errors: not_found.
func (a *App) Respondent(ctx context.Context, visit string) (actor care.Actor, err error) {
	t, err := auth.ParseToken(visit)
	if err != nil {
		return actor, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		i, err := tx.InvitationByVisit(hashOf(t, "visit"), a.nowMillis())
		if err != nil {
			return err
		}
		language, err := languageOf(tx, i)
		actor = care.Actor{Practice: i.Practice, Invitation: i.ID, Language: language}
		return err
	})
	return actor, err
}

// languageOf is the language of whoever answers by an invitation.
func languageOf(tx Tx, i care.Invitation) (string, error) {
	if i.Person != "" {
		x, err := tx.Carer(i.Practice, i.Person)
		if err == nil {
			return x.Content.Language, nil
		}
		if err := ignoreTampered(err); err != nil {
			return "", err
		}
	}
	return tx.ClientLanguage(i.Practice, i.Client)
}

// EndVisit makes the browser's cookie worthless: the person left.
func (a *App) EndVisit(ctx context.Context, actor care.Actor) error {
	if !actor.IsRespondent() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		i, err := tx.Invitation(actor.Practice, actor.Invitation)
		if err != nil {
			return err
		}
		if err := tx.SetVisit(actor.Practice, i.ID, nil); err != nil {
			return err
		}
		return a.audit(tx, actor, "end_visit", i.ID, i.Episode, false)
	})
}
