// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"

	"github.com/entente-project/entente/internal/care"
)

// AccessLine is one thing that was done with a client's data.
type AccessLine struct {
	AtMillis int64
	Who      string // the colleague's name, "" for the person answering by a link
	Action   string // key audit.ACTION of the messages
	Changes  bool
	InNeed   bool // read by an emergency access
}

// mostAccess bounds one list of accesses; a therapy of ten years has fewer.
const mostAccess = 20_000

// Access lists, newest first, who read or changed what is about a client: what
// the client may ask to be given. What a carer answered is not in it: it is theirs,
// and no use of the client's data. Therapists and supervisors of one of the
// client's episodes only. It is noted as a read itself.
func (a *App) Access(ctx context.Context, actor care.Actor, client care.ID) (out []AccessLine, err error) {
	err = a.read(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.ReadCourse, client); err != nil {
			return err
		}
		all, err := tx.AllStaff(actor.Practice)
		if err != nil {
			return err
		}
		names := map[care.ID]string{}
		for _, s := range all {
			names[s.ID] = s.Name
		}
		needs, err := tx.EmergenciesOf(actor.Practice, client)
		if err != nil {
			return err
		}
		carers, err := tx.CarerInvitations(actor.Practice, client)
		if err != nil {
			return err
		}
		lines, err := tx.AuditAbout(actor.Practice, client, mostAccess)
		for _, l := range lines {
			if slices.Contains(carers, l.Actor) {
				continue
			}
			inNeed := slices.ContainsFunc(needs, func(e care.Emergency) bool { return e.Staff == l.Actor && e.In(l.AtMillis) })
			out = append(out, AccessLine{AtMillis: l.AtMillis, Who: names[l.Actor], Action: l.Action, Changes: l.Changes, InNeed: inNeed})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, a.noteRead(ctx, actor, "read_access", client, client)
}

// ErasedAccess is [App.Access] for somebody who was erased: what the audit still
// says, without a name. What was noted with their episodes is no longer known to
// be theirs. Managers only; not_found for whoever was not erased.
func (a *App) ErasedAccess(ctx context.Context, actor care.Actor, client care.ID) (out []AccessLine, err error) {
	if err := care.May(actor, care.EraseClients); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		all, err := tx.Erasures(actor.Practice)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(e care.Erasure) bool { return e.Client == client }) {
			return care.Missing()
		}
		staff, err := tx.AllStaff(actor.Practice)
		if err != nil {
			return err
		}
		names := map[care.ID]string{}
		for _, s := range staff {
			names[s.ID] = s.Name
		}
		lines, err := tx.AuditAbout(actor.Practice, client, mostAccess)
		for _, l := range lines {
			out = append(out, AccessLine{AtMillis: l.AtMillis, Who: names[l.Actor], Action: l.Action, Changes: l.Changes})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, a.noteRead(ctx, actor, "read_access", client, client)
}

// AuditState is one practice's audit as it was found.
type AuditState struct {
	Practice care.ID
	Lines    int64
	Head     string // to be noted outside
	Fault    error  // a care.AuditFault for the first line that does not hold
}

// AuditHeads gives the head of each practice's audit, to be noted outside the
// database. For the operator: it says nothing about anybody.
func (a *App) AuditHeads(ctx context.Context) (out []AuditState, err error) {
	err = a.eachPractice(ctx, func(tx Tx, p care.ID) error {
		head, err := tx.AuditHead(p)
		out = append(out, AuditState{Practice: p, Head: head})
		return err
	})
	return out, err
}

// VerifyAudit walks the audit of each practice; heads are heads noted earlier, by
// practice. For the operator.
func (a *App) VerifyAudit(ctx context.Context, heads map[care.ID][]string) (out []AuditState, err error) {
	err = a.eachPractice(ctx, func(tx Tx, p care.ID) error {
		s := AuditState{Practice: p}
		if s.Head, err = tx.AuditHead(p); err != nil {
			return err
		}
		if s.Lines, err = tx.VerifyAudit(p, heads[p]); isFault(err) {
			s.Fault, err = err, nil
		}
		out = append(out, s)
		return err
	})
	return out, err
}

func isFault(err error) bool {
	_, ok := err.(care.AuditFault) //nolint:errorlint // the store returns it as it is; anything around it is another error
	return ok
}

func (a *App) eachPractice(ctx context.Context, f func(tx Tx, practice care.ID) error) error {
	return a.read(ctx, func(tx Tx) error {
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		for _, p := range ps {
			if err := f(tx, p.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
