// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"

	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

// Staff lists the colleagues of a practice for anybody who works in it; the
// addresses are given to managers only.
func (a *App) Staff(ctx context.Context, actor care.Actor) (out []Colleague, err error) {
	if err := care.May(actor, care.SeeOwnWork); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		all, err := tx.AllStaff(actor.Practice)
		for _, s := range all {
			c := Colleague{ID: s.ID, Name: s.Name, Roles: s.Roles, Joined: s.PasswordHash != "", Ended: s.Ended()}
			if actor.Has(care.Manager) || s.ID == actor.Staff {
				c.Email = s.Email
			}
			if actor.Has(care.Manager) {
				if c.Second, err = hasTwo(tx, s.Practice, s.ID); err != nil {
					return err
				}
			}
			out = append(out, c)
		}
		return err
	})
	return out, err
}

// AddStaff adds a colleague and returns the link by which they choose a
// password. Managers only. Errors: conflict when the address is taken.
func (a *App) AddStaff(ctx context.Context, actor care.Actor, in NewColleague) (Link, error) {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return Link{}, err
	}
	s, err := a.newStaff(ctx, in, "")
	if err != nil {
		return Link{}, err
	}
	s.Practice = actor.Practice
	t := auth.NewToken()
	end := a.cfg.Now().Add(joinLasts).UnixMilli()
	err = a.write(ctx, func(tx Tx) error {
		if err := tx.AddStaff(s); err != nil {
			if care.CodeOf(err) == care.Conflict {
				return &care.Error{Code: care.Conflict, Field: "email", Key: "staff.email_taken", Err: err}
			}
			return err
		}
		if err := tx.PutJoin(care.Join{Practice: s.Practice, Staff: s.ID, TokenHash: hashOf(t, "join"), ExpiresMillis: end}); err != nil {
			return err
		}
		return a.audit(tx, actor, "add_staff", s.ID, "", true)
	})
	return Link{Token: t.Text(), Expires: end}, err
}

// JoinName tells whose account a link opens. Errors: not_found.
func (a *App) JoinName(ctx context.Context, token string) (string, error) {
	s, _, err := a.joining(ctx, token)
	return s.Name, err
}

// joining is whose account a link opens, and in which practice.
func (a *App) joining(ctx context.Context, token string) (s care.Staff, p care.Practice, err error) {
	t, err := auth.ParseToken(token)
	if err != nil {
		return s, p, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		j, err := tx.JoinByToken(hashOf(t, "join"), a.nowMillis())
		if err != nil {
			return err
		}
		if p, err = tx.Practice(j.Practice); err != nil {
			return err
		}
		s, err = tx.Staff(j.Practice, j.Staff)
		return err
	})
	return s, p, err
}

// Join sets a colleague's password and signs them in; the link ends with it, and
// so does every sign-in that was there. A second factor is asked for as always.
func (a *App) Join(ctx context.Context, token, password, device string) (SignedIn, error) {
	who, practice, err := a.joining(ctx, token)
	if err != nil {
		return SignedIn{}, err
	}
	hash, err := newPassword(ctx, auth.MinPasswordAlone, password, who.Name, who.Email, practice.Name)
	if err != nil {
		return SignedIn{}, err
	}
	t, err := auth.ParseToken(token)
	if err != nil {
		return SignedIn{}, care.Missing()
	}
	var out SignedIn
	err = a.write(ctx, func(tx Tx) error {
		j, err := tx.JoinByToken(hashOf(t, "join"), a.nowMillis())
		if err != nil {
			return err
		}
		if err := tx.SetPassword(j.Practice, j.Staff, hash); err != nil {
			return err
		}
		if err := tx.EndJoin(j.Practice, j.Staff); err != nil {
			return err
		}
		if err := a.endAll(tx, j.Practice, j.Staff); err != nil {
			return err
		}
		if err := a.audit(tx, care.Actor{Practice: j.Practice, Staff: j.Staff}, "choose_password", j.Staff, "", false); err != nil {
			return err
		}
		s, err := tx.Staff(j.Practice, j.Staff)
		if err != nil {
			return err
		}
		out, err = a.enter(tx, s, device, care.ByPassword)
		return err
	})
	return out, err
}
