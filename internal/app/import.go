// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

type importTx interface {
	Bulk() error
	NameID(practice care.ID, parts ...string) (care.ID, error)
	AddInstrument(practice care.ID, id string, version int, definition string) error
	AddImport(practice, id, staff care.ID, atMillis int64, file string, responses int) error
	Relate(practice, episode, staff care.ID, as care.Relation) error
}

// PreviewImport reads a file and says what Import would do, and every problem by
// line and column. Nothing is written. Managers only.
func (a *App) PreviewImport(ctx context.Context, actor care.Actor, m *ImportMap, src ImportSource, p Progress) (ImportPlan, error) {
	r, err := a.readImport(ctx, actor, m, src, p)
	if err != nil {
		return ImportPlan{}, err
	}
	if r.plan.Total > 0 {
		return r.plan, nil
	}
	err = a.read(ctx, func(tx Tx) error {
		w := importing{a: a, tx: tx, actor: actor, r: r, dry: true}
		return w.all(p)
	})
	return r.plan, err
}

// Import reads a file and keeps all its ratings, or none if there is a problem
// or p stops it. The same file again changes nothing. Managers only.
func (a *App) Import(ctx context.Context, actor care.Actor, m *ImportMap, src ImportSource, p Progress) (ImportPlan, error) {
	r, err := a.readImport(ctx, actor, m, src, p)
	if err != nil || r.plan.Total > 0 {
		return plan(r), err
	}
	empty := r.plan
	err = a.write(ctx, func(tx Tx) error {
		r.plan = empty
		w := importing{a: a, tx: tx, actor: actor, r: r, id: a.cfg.NewID()}
		return w.all(p)
	})
	return plan(r), err
}

func plan(r *reading) ImportPlan {
	if r == nil {
		return ImportPlan{}
	}
	return r.plan
}

// readImport checks who asks and reads the file.
func (a *App) readImport(ctx context.Context, actor care.Actor, m *ImportMap, src ImportSource, p Progress) (*reading, error) {
	if err := care.May(actor, care.BringRatings); err != nil {
		return nil, err
	}
	r := &reading{m: m, me: actor.Staff, colleagues: map[string]care.ID{}, first: map[string]int{}}
	err := a.read(ctx, func(tx Tx) error {
		pr, err := tx.Practice(actor.Practice)
		if err != nil {
			return err
		}
		r.zone = zone(pr)
		all, err := tx.AllStaff(actor.Practice)
		for _, s := range all {
			if s.Ended() {
				continue
			}
			r.colleagues[strings.ToLower(s.Name)] = s.ID
			r.colleagues[strings.ToLower(s.Email)] = s.ID
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = func(string, int64, int64) error { return ctx.Err() }
	}
	return r, r.readFile(src, p)
}

// importing keeps what was read, in one transaction; dry only looks.
type importing struct {
	a     *App
	tx    Tx
	actor care.Actor
	r     *reading
	id    care.ID
	dry   bool

	clients, episodes, sessions map[care.ID]bool // seen in this import
	touched                     []care.Episode
}

func (w *importing) all(p Progress) error {
	w.clients, w.episodes, w.sessions = map[care.ID]bool{}, map[care.ID]bool{}, map[care.ID]bool{}
	total := int64(len(w.r.out))
	if err := w.tx.Bulk(); err != nil {
		return err
	}
	if m := w.r.m; !w.dry && m.own != nil {
		if err := w.tx.AddInstrument(w.actor.Practice, m.own.ID, m.own.Version, m.Definition); err != nil {
			return err
		}
	}
	for i, x := range w.r.out {
		if p != nil && i%100 == 0 {
			if err := p("saving", int64(i), total); err != nil {
				return err
			}
		}
		if err := w.one(x); err != nil {
			return err
		}
	}
	if w.dry || w.r.plan.Responses+w.r.plan.Sessions == 0 {
		return nil
	}
	for i, e := range w.touched {
		if p != nil && i%100 == 0 {
			if err := p("reading the courses", int64(i), int64(len(w.touched))); err != nil {
				return err
			}
		}
		if err := w.a.refresh(w.tx, e, e.Clients[0]); err != nil {
			return err
		}
	}
	if err := w.tx.AddImport(w.actor.Practice, w.id, w.actor.Staff, w.a.nowMillis(), w.r.plan.File, w.r.plan.Responses); err != nil {
		return err
	}
	return w.a.audit(w.tx, w.actor, "import", w.id, "", true)
}

// one keeps one response with whatever it needs: client, episode, session.
func (w *importing) one(x rated) error {
	pr := w.actor.Practice
	client, err := w.tx.NameID(pr, "client", x.client)
	if err != nil {
		return err
	}
	episode, err := w.tx.NameID(pr, "episode", x.client, x.therapist)
	if err != nil {
		return err
	}
	session, err := w.tx.NameID(pr, "session", x.client, x.therapist, x.meeting())
	if err != nil {
		return err
	}
	response, err := w.tx.NameID(pr, "response", x.client, x.therapist, x.meeting(), string(x.informant), x.form.ID)
	if err != nil {
		return err
	}
	if !x.unrated() {
		switch _, err := w.tx.ResponseHead(pr, response); care.CodeOf(err) {
		case "":
			w.r.plan.Known++
			return nil
		case care.NotFound:
			w.r.plan.Responses++
		default:
			return err
		}
	}
	if err := w.ensureClient(client, x); err != nil {
		return err
	}
	if err := w.ensureEpisode(episode, client, x); err != nil {
		return err
	}
	if err := w.ensureSession(session, episode, x); err != nil {
		return err
	}
	if w.dry || x.unrated() {
		return nil
	}
	by := client
	if x.informant == care.ByTherapist {
		by = x.staff
	}
	_, err = w.tx.AddResponse(care.Response{
		ID: response, Practice: pr, Episode: episode, Session: session, Client: client, By: by, Informant: x.informant,
		Instrument: x.form.ID, Version: x.form.Version, Language: w.language(), AnsweredMillis: x.at.UnixMilli(), Import: w.id,
		Content: care.Content{Answers: x.answers, Comment: x.comment, Scores: scores(x.form, x.answers)},
	})
	return err
}

func (w *importing) language() string {
	if w.r.m.Language != "" {
		return language(w.r.m.Language)
	}
	return language(w.actor.Language)
}

// found remembers id in seen and reports whether it needs adding: it was not
// seen before and look says not_found.
func found(seen map[care.ID]bool, id care.ID, look func() error) (needed bool, err error) {
	if seen[id] {
		return false, nil
	}
	seen[id] = true
	err = look()
	if care.CodeOf(err) == care.NotFound {
		return true, nil
	}
	return false, err
}

func (w *importing) ensureClient(id care.ID, x rated) error {
	pr := w.actor.Practice
	needed, err := found(w.clients, id, func() error { _, err := w.tx.Client(pr, id); return err })
	if err != nil || !needed {
		return err
	}
	gone, err := w.tx.Erased(pr, id)
	if err != nil {
		return err
	}
	if gone { // also when it was erased after the preview
		return &care.Error{Code: care.Invalid, Field: "file", Key: "erasure.in_file", Args: map[string]string{
			"Line": strconv.Itoa(x.line), "file": w.r.plan.File, "text": fmt.Sprintf("line %d: this person was erased, and a file brings nobody back; take their lines out and import it again", x.line),
		}}
	}
	w.r.plan.Clients++
	if w.dry {
		return nil
	}
	return w.tx.AddClient(care.Client{ID: id, Practice: pr, Label: x.client, AgeBand: w.r.m.AgeBand, Language: w.language(), Reference: x.client, CreatedMillis: w.a.nowMillis()})
}

func (w *importing) ensureEpisode(id, client care.ID, x rated) error {
	pr := w.actor.Practice
	var e care.Episode
	first := !w.episodes[id]
	needed, err := found(w.episodes, id, func() (err error) { e, err = w.tx.Episode(pr, id); return err })
	if err != nil {
		return err
	}
	if needed {
		e = care.Episode{
			ID: id, Practice: pr, Clients: []care.ID{client}, Therapists: []care.ID{x.staff}, Orientation: "unspecified", Setting: care.Individual,
			Forms: defaultForms(w.r.m.AgeBand, care.Individual), OpenedOn: x.at.Format("2006-01-02"), CreatedMillis: w.a.nowMillis(),
		}
		if w.dry {
			return nil
		}
		if err := w.tx.AddEpisode(e); err != nil {
			return err
		}
	}
	if first {
		w.touched = append(w.touched, e)
	}
	return nil
}

func (w *importing) ensureSession(id, episode care.ID, x rated) error {
	pr := w.actor.Practice
	needed, err := found(w.sessions, id, func() error { _, err := w.tx.Session(pr, id); return err })
	if err != nil || !needed {
		return err
	}
	w.r.plan.Sessions++
	if w.dry {
		return nil
	}
	return w.tx.AddSession(care.Session{ID: id, Practice: pr, Episode: episode, AtMillis: x.at.UnixMilli(), Status: care.Held})
}
