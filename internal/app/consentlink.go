// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"
	"time"

	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

type consentLinkTx interface {
	AddConsentLink(care.ConsentLink) error
	ConsentLinkByToken(hash []byte, nowMillis int64) (care.ConsentLink, error)
	ConsentLinkByVisit(hash []byte, nowMillis int64) (care.ConsentLink, error)
	ConsentLink(practice, id care.ID, nowMillis int64) (care.ConsentLink, error)
	SetConsentVisit(practice, id care.ID, hash []byte) error
}

// consentLasts is long enough to read, to sleep over it, and to take it back.
const consentLasts = 30 * 24 * time.Hour

// InviteToConsent makes a person's own link to the texts that concern them; an earlier
// one of the same person ends. Therapists of one of the client's episodes only.
// Errors: invalid for whoever is not asked anything by a link.
func (a *App) InviteToConsent(ctx context.Context, actor care.Actor, client, person care.ID) (Link, error) {
	t := auth.NewToken()
	now := a.cfg.Now()
	link := Link{Token: t.Text(), Expires: now.Add(consentLasts).UnixMilli()}
	err := a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		c, err := a.consentsOf(tx, actor.Practice, client)
		if err != nil {
			return err
		}
		if as, ok := c.CapacityOf(person); !ok || as == care.AsCourt {
			return care.Bad("person", "field.choice")
		}
		if len(c.Texts) == 0 {
			return care.Bad("person", "consent.no_text")
		}
		l := care.ConsentLink{ID: a.cfg.NewID(), Practice: actor.Practice, Client: client, Person: person, TokenHash: hashOf(t, "consent"), CreatedMillis: now.UnixMilli(), ExpiresMillis: link.Expires}
		if err := tx.AddConsentLink(l); err != nil {
			return err
		}
		return a.audit(tx, actor, "invite_consent", l.ID, client, true)
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// OpenConsentLink exchanges a link for a visit: the secret of the browser's cookie.
// Unknown, expired and ended links all give the same not_found.
func (a *App) OpenConsentLink(ctx context.Context, token string) (Link, error) {
	t, err := auth.ParseToken(token)
	if err != nil {
		return Link{}, care.Missing()
	}
	visit := auth.NewToken()
	link := Link{Token: visit.Text()}
	err = a.write(ctx, func(tx Tx) error {
		l, err := tx.ConsentLinkByToken(hashOf(t, "consent"), a.nowMillis())
		if err != nil {
			return err
		}
		link.Expires = l.ExpiresMillis
		if err := tx.SetConsentVisit(l.Practice, l.ID, hashOf(visit, "consent_visit")); err != nil {
			return err
		}
		return a.audit(tx, care.Actor{Practice: l.Practice, Consent: l.ID}, "open_consent", l.ID, l.Client, false)
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// Consenter tells who a visit's cookie stands for. Errors: not_found.
func (a *App) Consenter(ctx context.Context, visit string) (actor care.Actor, err error) {
	t, err := auth.ParseToken(visit)
	if err != nil {
		return actor, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		l, err := tx.ConsentLinkByVisit(hashOf(t, "consent_visit"), a.nowMillis())
		if err != nil {
			return err
		}
		language, err := tx.ClientLanguage(l.Practice, l.Client)
		actor = care.Actor{Practice: l.Practice, Consent: l.ID, Language: language}
		return err
	})
	return actor, err
}

// OwnConsent is one text as the person it concerns reads it, and what they said.
type OwnConsent struct {
	Kind     care.ConsentKind
	Text     care.ConsentText
	Said     care.ConsentState // "" for nothing yet
	AtMillis int64
	Anew     bool // the text has changed since
}

// OwnConsents are the texts that concern the person behind a link, with what they said
// themselves and nothing that anybody else did.
func (a *App) OwnConsents(ctx context.Context, actor care.Actor) (out []OwnConsent, err error) {
	if !actor.IsConsenter() {
		return nil, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		_, out, err = a.ownConsents(tx, actor)
		return err
	})
	return out, err
}

func (a *App) ownConsents(tx Tx, actor care.Actor) (l care.ConsentLink, out []OwnConsent, err error) {
	if l, err = tx.ConsentLink(actor.Practice, actor.Consent, a.nowMillis()); err != nil {
		return l, nil, err
	}
	c, err := a.consentsOf(tx, l.Practice, l.Client)
	if err != nil {
		return l, nil, err
	}
	rule, err := consentRule(tx, l.Practice)
	if err != nil {
		return l, nil, err
	}
	as, ok := c.CapacityOf(l.Person)
	if !ok || as != care.AsClient && !c.Minor() { // whoever has come of age decides alone
		return l, nil, care.Missing()
	}
	for _, k := range care.ConsentsFor(as, c.Minor(), rule.Alone(c)) {
		text, ok := c.Newest(k)
		if !ok {
			continue
		}
		o := OwnConsent{Kind: k, Text: text}
		if r, ok := c.Last(l.Person, k); ok {
			o.Said, o.AtMillis, o.Anew = r.State, r.AtMillis, c.Outdated(r)
		}
		out = append(out, o)
	}
	return l, out, nil
}

// AnswerConsent keeps what the person behind a link says to the version they read:
// given, refused or withdrawn. The same again changes nothing. Errors: conflict when
// the text has changed since it was read; invalid.
func (a *App) AnswerConsent(ctx context.Context, actor care.Actor, kind care.ConsentKind, version int, language string, state care.ConsentState) error {
	if !actor.IsConsenter() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		l, own, err := a.ownConsents(tx, actor)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(own, func(o OwnConsent) bool { return o.Kind == kind })
		if i < 0 || state != care.Given && state != care.Refused && state != care.Withdrawn || !slices.Contains(Languages, language) {
			return care.Bad("", "field.choice")
		}
		if own[i].Said == state && !own[i].Anew {
			return nil
		}
		c, err := a.consentsOf(tx, l.Practice, l.Client)
		if err != nil {
			return err
		}
		r := care.ConsentRecord{ID: a.cfg.NewID(), Practice: l.Practice, Client: l.Client, Person: l.Person, Kind: kind, Version: version, Language: language,
			State: state, How: care.ByOwnLink, By: l.ID, AtMillis: a.nowMillis()}
		if state == care.Withdrawn {
			if r.Version, err = versionFor(c, r); err != nil {
				return err
			}
		} else if c.Outdated(r) || version == 0 {
			return &care.Error{Code: care.Conflict, Key: "consent.read_again"}
		}
		return a.keepConsent(tx, actor, r)
	})
}

// EndConsentVisit makes the browser's cookie worthless: the person left.
func (a *App) EndConsentVisit(ctx context.Context, actor care.Actor) error {
	if !actor.IsConsenter() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		l, err := tx.ConsentLink(actor.Practice, actor.Consent, a.nowMillis())
		if err != nil {
			return err
		}
		if err := tx.SetConsentVisit(l.Practice, l.ID, nil); err != nil {
			return err
		}
		return a.audit(tx, actor, "end_consent", l.ID, l.Client, false)
	})
}
