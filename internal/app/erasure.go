// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

// damagedTx tells what of a list could not be opened.
type damagedTx interface {
	Damaged() []care.Damaged
}

type erasureTx interface {
	Holdings(practice, client care.ID) (care.Holdings, error)
	EraseClient(e care.Erasure, newID func() care.ID) (care.Erasure, error)
	Erasures(practice care.ID) ([]care.Erasure, error)
	Erased(practice, client care.ID) (bool, error)
}

// triesToErase bounds how many names a manager can try in a quarter of an hour.
const triesToErase = 20

// ErasureAsk says what an erasure would take with it.
type ErasureAsk struct {
	Client care.ID
	Label  string
	Goes   care.Holdings
}

// AskErasure finds the one client of a name and says what would go with them.
// Nothing is erased. Managers only; each try is in the audit. Errors: invalid
// for a name that is not exactly one client's; unavailable after too many tries.
func (a *App) AskErasure(ctx context.Context, actor care.Actor, name string) (ask ErasureAsk, err error) {
	if err := care.May(actor, care.EraseClients); err != nil {
		return ask, err
	}
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 400 {
		return ask, care.Bad("name", "field.needed")
	}
	var refused error
	err = a.write(ctx, func(tx Tx) error { // a refusal is kept too: it counts, and stands in the audit
		ask, refused = ErasureAsk{}, nil
		if refused = a.mayTry(tx, actor, "erasure", triesToErase); refused != nil {
			if !isThrottled(refused) {
				return refused
			}
			return a.audit(tx, actor, "try_erasure", "", "", false)
		}
		ids, err := tx.ClientsNamed(actor.Practice, name)
		switch {
		case err != nil:
			return err
		case len(ids) == 0:
			refused = care.Bad("name", "emergency.nobody")
		case len(ids) > 1:
			refused = care.Bad("name", "emergency.several")
		}
		if refused != nil {
			return a.audit(tx, actor, "try_erasure", "", "", false)
		}
		if ask, err = askOf(tx, actor.Practice, ids[0]); err != nil {
			return err
		}
		return a.audit(tx, actor, "ask_erasure", ask.Client, ask.Client, false)
	})
	if err != nil {
		return ErasureAsk{}, err
	}
	return ask, refused
}

func askOf(tx Tx, practice, client care.ID) (ask ErasureAsk, err error) {
	c, err := tx.Client(practice, client)
	if err != nil {
		return ask, err
	}
	h, err := tx.Holdings(practice, client)
	return ErasureAsk{Client: client, Label: c.Label, Goes: h}, err
}

// mayTry counts a try of the actor's: unavailable when there were too many.
func (a *App) mayTry(tx Tx, actor care.Actor, what string, most int64) error {
	window := a.nowMillis() / throttleWindow.Milliseconds() * throttleWindow.Milliseconds()
	sum := sha256.Sum256([]byte(what + "\x00" + string(actor.Practice) + "\x00" + string(actor.Staff)))
	n, err := tx.Hit(hex.EncodeToString(sum[:16]), window, window-throttleWindow.Milliseconds())
	if err != nil {
		return err
	}
	if int64(n) > most {
		return &care.Error{Code: care.Unavailable, Field: "name", Key: "error.throttled"}
	}
	return nil
}

// Erase is what a manager says to erase a client.
type Erase struct {
	Client care.ID
	Name   string // the client's label or reference, typed once more
	Reason care.ErasureReason
}

// EraseClient deletes everything that is kept of a client and destroys the key
// that it was sealed under, so that earlier backups do not open it either. It
// cannot be undone. Managers only. Deleting is one transaction; the key is
// destroyed when that is durable, and at the next start if it cannot be now.
// Errors: invalid for another name or no reason; not_found; unavailable, when
// nothing was erased or the key could not be destroyed yet.
func (a *App) EraseClient(ctx context.Context, actor care.Actor, in Erase) error {
	if err := care.May(actor, care.EraseClients); err != nil {
		return err
	}
	if !slices.Contains(care.ErasureReasons(), in.Reason) {
		return care.Bad("reason", "field.choice")
	}
	err := a.write(ctx, func(tx Tx) error {
		c, err := tx.Client(actor.Practice, in.Client)
		if err != nil {
			return err
		}
		if !sameName(in.Name, c.Label) && (c.Reference == "" || !sameName(in.Name, c.Reference)) {
			return care.Bad("confirm", "erasure.other_name")
		}
		e := care.Erasure{Practice: actor.Practice, Client: c.ID, By: actor.Staff, Reason: in.Reason, AtMillis: a.nowMillis()}
		if _, err := tx.EraseClient(e, a.cfg.NewID); err != nil {
			return err
		}
		return a.audit(tx, actor, "erase_client", c.ID, c.ID, true)
	})
	if err != nil {
		return err
	}
	// Whoever asked may be gone by now; what was begun is finished all the same.
	err = a.destroy(context.WithoutCancel(ctx), actor.Practice, in.Client, a.nowMillis())
	if e, ok := errors.AsType[*care.Error](err); err != nil && (!ok || e.Key != "erasure.not_destroyed") {
		a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a key was destroyed and that could not be noted; it is at the next start", slog.String("error", string(care.CodeOf(err))))
		return nil
	}
	return err
}

func sameName(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// Erasures lists who was erased, without names, the newest first. Managers only.
func (a *App) Erasures(ctx context.Context, actor care.Actor) (out []ErasureLine, err error) {
	if err := care.May(actor, care.EraseClients); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		all, err := tx.Erasures(actor.Practice)
		if err != nil {
			return err
		}
		staff, err := tx.AllStaff(actor.Practice)
		if err != nil {
			return err
		}
		for _, e := range all {
			l := ErasureLine{Erasure: e}
			for _, s := range staff {
				if s.ID == e.By {
					l.Who = s.Name
				}
			}
			out = append(out, l)
		}
		return nil
	})
	return out, err
}

// ErasureLine is an erasure and who did it.
type ErasureLine struct {
	care.Erasure
	Who string // "" for the operator
}
