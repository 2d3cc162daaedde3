// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

type grantTx interface {
	AddGrant(care.Grant) error
	Grants(practice care.ID) ([]care.Grant, error)
	GrantFile(practice, id care.ID) (kind string, data []byte, err error)
	Granted(practice care.ID, instrument string) (bool, error)
	EndGrant(care.Grant) error
}

// NewGrant is what a manager says on what ground the practice uses an
// instrument's words.
type NewGrant struct {
	Instrument                   string
	Ground                       care.Ground
	Licence, From, GivenOn, Note string
	File                         []byte // may be empty
}

// GrantLine is a grant with the names of those who recorded and withdrew it.
type GrantLine struct {
	care.Grant
	By, EndedBy string
}

// Grants lists the grounds recorded for an instrument, newest first. Managers
// only.
func (a *App) Grants(ctx context.Context, actor care.Actor, instrument string) (out []GrantLine, err error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		all, err := tx.Grants(actor.Practice)
		if err != nil {
			return err
		}
		staff, err := tx.AllStaff(actor.Practice)
		if err != nil {
			return err
		}
		by := map[care.ID]string{}
		for _, s := range staff {
			by[s.ID] = s.Name
		}
		for _, g := range all {
			if g.Instrument == instrument {
				out = append(out, GrantLine{Grant: g, By: by[g.By], EndedBy: by[g.EndedBy]})
			}
		}
		return nil
	})
	return out, err
}

// RecordGrant records on what ground the practice uses an instrument's words.
// Managers only. Errors: invalid at a field; conflict while another is in force;
// not_found for an instrument that neither the program nor the practice has.
func (a *App) RecordGrant(ctx context.Context, actor care.Actor, in NewGrant) (care.ID, error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return "", err
	}
	g, err := a.checkGrant(actor, in)
	if err != nil {
		return "", err
	}
	err = a.write(ctx, func(tx Tx) error {
		all, err := a.entries(tx, actor.Practice)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(e LibraryEntry) bool { return e.ID == g.Instrument && !e.Ours }) {
			return care.Missing()
		}
		if err := tx.AddGrant(g); err != nil {
			return err
		}
		return a.audit(tx, actor, "record_grant", g.ID, "", true)
	})
	return g.ID, err
}

func (a *App) checkGrant(actor care.Actor, in NewGrant) (care.Grant, error) {
	g := care.Grant{
		ID: a.cfg.NewID(), Practice: actor.Practice, Instrument: in.Instrument, Ground: in.Ground, Licence: strings.TrimSpace(in.Licence), From: strings.TrimSpace(in.From),
		GivenOn: strings.TrimSpace(in.GivenOn), Note: strings.TrimSpace(in.Note), File: in.File, By: actor.Staff, AtMillis: a.nowMillis(),
	}
	switch {
	case !slices.Contains(care.Grounds(), g.Ground):
		return g, care.Bad("ground", "field.choice")
	case g.Ground == care.ByLicence && g.Licence == "":
		return g, care.Bad("licence", "grant.name_licence")
	case g.Ground == care.ByPermission && g.From == "":
		return g, care.Bad("from", "grant.name_giver")
	case g.Ground == care.ByPermission && g.Note == "" && len(g.File) == 0:
		return g, care.Bad("note", "grant.note_or_file")
	case len(g.Licence) > 400 || len(g.From) > 400:
		return g, care.Bad("from", "field.too_long")
	case len(g.Note) > 8000:
		return g, care.Bad("note", "field.too_long")
	case len(g.File) > care.GrantFileBytes:
		return g, care.Bad("file", "grant.file_large")
	}
	if g.GivenOn != "" {
		if on, err := time.Parse(time.DateOnly, g.GivenOn); err != nil || on.After(a.cfg.Now().AddDate(0, 0, 1)) {
			return g, care.Bad("given_on", "grant.date")
		}
	}
	if len(g.File) > 0 {
		// What it is, is read from it: a name may say anything.
		g.FileKind, _, _ = strings.Cut(http.DetectContentType(g.File), ";")
		if !slices.Contains(care.GrantFileKinds(), g.FileKind) {
			return g, care.Bad("file", "grant.file_kind")
		}
	}
	return g, nil
}

// WithdrawGrant ends the use of an instrument's words, with a reason: from then on
// it is asked nowhere, and what was answered stays. Managers only. Errors:
// not_found for a grant that is not in force.
func (a *App) WithdrawGrant(ctx context.Context, actor care.Actor, id care.ID, reason string) error {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return err
	}
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "":
		return care.Bad("reason", "grant.why_withdrawn")
	case len(reason) > 8000:
		return care.Bad("reason", "field.too_long")
	}
	return a.write(ctx, func(tx Tx) error {
		all, err := tx.Grants(actor.Practice)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(g care.Grant) bool { return g.ID == id && g.InForce() })
		if i < 0 {
			return care.Missing()
		}
		g := all[i]
		g.EndedMillis, g.EndedBy, g.EndReason = a.nowMillis(), actor.Staff, reason
		if err := tx.EndGrant(g); err != nil {
			return err
		}
		return a.audit(tx, actor, "withdraw_grant", g.ID, "", true)
	})
}

// GrantFile returns the file of a grant. Managers only; that it was read is noted.
// Errors: not_found for a grant without a file.
func (a *App) GrantFile(ctx context.Context, actor care.Actor, id care.ID) (kind string, data []byte, err error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return "", nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		kind, data, err = tx.GrantFile(actor.Practice, id)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	return kind, data, a.noteRead(ctx, actor, "read_grant", id, "")
}

// mayAsk reports whether a practice may ask an instrument: ours always, any other
// while a grant is in force. Every way to a form goes through here.
func mayAsk(tx Tx, practice care.ID, id string) (bool, error) {
	if _, ours := library.Get(id); ours {
		return true, nil
	}
	return tx.Granted(practice, id)
}
