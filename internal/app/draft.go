// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

type draftTx interface {
	Drafts(practice care.ID) ([]care.Draft, error)
	Draft(practice, id care.ID) (care.Draft, error)
	AddDraft(d care.Draft) error
	SaveDraft(d care.Draft) error
	DropDraft(practice, id care.ID, revision int) error
}

// Draft is a form being written, with what it would be if it were published now.
type Draft struct {
	ID       care.ID
	Revision int
	By       string
	AtMillis int64
	Form     instrument.Draft
	// Instrument is the form of which it is the next version, "" for a form of
	// its own; Version is the number it would get.
	Instrument string
	Version    int
	// Ready is the version itself, nil while something is Wrong with it. Before
	// is the version in force, nil for a new form, and Change what differs.
	Ready  *instrument.Instrument
	Wrong  []instrument.DraftProblem
	Before *instrument.Instrument
	Change instrument.Comparison
}

// NewDraft is what a draft begins with.
type NewDraft struct {
	// From names a form of ours or of the practice's; "" begins with an empty one.
	From string
	// Adapt makes a form of its own out of it; otherwise it becomes the next
	// version of that form.
	Adapt bool
	// Words are put into a draft in the languages of whoever writes it: Holder
	// for who wrote it, Notice before the line of the form that is adapted, Name
	// after its name.
	Languages    []string
	Holder       string
	Notice, Name instrument.Text
}

// licenceOfOwn stands in the file of a form of the practice's own (SPDX).
const licenceOfOwn = "LicenseRef-own-work"

// Drafts lists what the practice is writing, the newest first; Before and Change
// are not worked out. Managers only.
func (a *App) Drafts(ctx context.Context, actor care.Actor) (out []Draft, err error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		out = nil
		all, err := tx.Drafts(actor.Practice)
		if err != nil {
			return err
		}
		for _, x := range all {
			d, err := draftFrom(tx, x)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

// Draft is one draft with what is wrong with it, or with what would change by
// publishing it. Managers only. Errors: not_found.
func (a *App) Draft(ctx context.Context, actor care.Actor, id care.ID) (d Draft, err error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return d, err
	}
	err = a.read(ctx, func(tx Tx) error {
		d, err = a.draft(tx, actor.Practice, id)
		return err
	})
	return d, err
}

func draftFrom(tx Tx, x care.Draft) (d Draft, err error) {
	d = Draft{ID: x.ID, Revision: x.Revision, AtMillis: x.AtMillis, Instrument: x.Instrument}
	if err := json.Unmarshal([]byte(x.Form), &d.Form); err != nil {
		return d, fmt.Errorf("draft %s: %w", x.ID, err)
	}
	by, err := names(tx, x.Practice, []care.ID{x.By})
	d.By = strings.Join(by, "")
	return d, err
}

func (a *App) draft(tx Tx, practice, id care.ID) (Draft, error) {
	x, err := tx.Draft(practice, id)
	if err != nil {
		return Draft{}, err
	}
	d, err := draftFrom(tx, x)
	if err != nil {
		return d, err
	}
	return d, a.compare(tx, practice, &d)
}

// compare works out what a draft would be, and what is in force before it.
func (a *App) compare(tx Tx, practice care.ID, d *Draft) (err error) {
	all, err := tx.PracticeForms(practice)
	if err != nil {
		return err
	}
	id := d.Instrument
	if id == "" {
		id = freeID(d.Form, all)
	}
	d.Version = 1
	for _, f := range all {
		if f.Instrument != id {
			continue
		}
		d.Version = f.Version + 1
		if f.PublishedMillis > 0 {
			if d.Before, err = a.instrumentFor(tx, practice, id, f.Version); err != nil {
				return err
			}
		}
	}
	d.Ready, d.Wrong = d.Form.Form(id, d.Version)
	if d.Ready != nil && d.Before != nil {
		d.Change = instrument.Compare(d.Before, d.Ready)
	}
	return nil
}

// freeID makes an id of a draft's name that neither the program nor the practice
// has.
func freeID(d instrument.Draft, brought []care.PracticeForm) string {
	name := ""
	for _, lang := range append([]string{"en"}, d.Languages...) {
		if name == "" {
			name = plainID(d.Name[lang])
		}
	}
	if name == "" {
		name = "form"
	}
	taken := func(id string) bool {
		_, ours := library.Get(id)
		_, key := library.Key(id)
		return ours || key || slices.ContainsFunc(brought, func(f care.PracticeForm) bool { return f.Instrument == id })
	}
	id := name
	for n := 2; taken(id); n++ {
		id = fmt.Sprintf("%s-%d", name, n)
	}
	return id
}

// plainID is a name as an id of 48 letters at most: "Com'è andata?" becomes
// "com-e-andata".
func plainID(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 48 {
			break
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// StartDraft begins a draft and returns its id. Managers only. Errors: not_found
// for a form that is not there; conflict for one whose words are not the
// practice's own, or that a draft cannot hold.
func (a *App) StartDraft(ctx context.Context, actor care.Actor, in NewDraft) (id care.ID, err error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return "", err
	}
	id = a.cfg.NewID()
	return id, a.write(ctx, func(tx Tx) error {
		x := care.Draft{ID: id, Practice: actor.Practice, Revision: 1, By: actor.Staff, AtMillis: a.nowMillis()}
		form := instrument.NewDraft(in.Languages)
		form.Holder, form.SPDX, form.Notice = in.Holder, licenceOfOwn, instrument.Text{}
		form.Name, form.Title, form.Intro = instrument.Text{}, instrument.Text{}, instrument.Text{}
		if in.From != "" {
			f, err := a.startingPoint(tx, actor.Practice, in)
			if err != nil {
				return err
			}
			if form, err = instrument.DraftOf(f); errors.Is(err, instrument.ErrNotDraft) {
				return &care.Error{Code: care.Conflict, Key: "draft.not_held", Err: err}
			}
			if in.Adapt {
				adapt(&form, in)
			} else {
				x.Instrument, x.Base = f.ID, f.Version
			}
		}
		if x.Form, err = packed(form); err != nil {
			return err
		}
		if err := tx.AddDraft(x); err != nil {
			return err
		}
		return a.audit(tx, actor, "start_draft", id, "", true)
	})
}

// startingPoint is the form a draft is made of: ours only to be adapted, one of
// the practice's only if its words are known to be its own work, or if it becomes
// its next version.
func (a *App) startingPoint(tx Tx, practice care.ID, in NewDraft) (*instrument.Instrument, error) {
	if f, ours := library.Get(in.From); ours {
		if !in.Adapt {
			return nil, &care.Error{Code: care.Conflict, Key: "draft.ours"}
		}
		return f, nil
	}
	all, err := tx.PracticeForms(practice)
	if err != nil {
		return nil, err
	}
	for _, f := range slices.Backward(all) {
		if f.Instrument != in.From || f.PublishedMillis == 0 {
			continue
		}
		own, err := ownWork(tx, practice, in.From)
		if err != nil {
			return nil, err
		}
		if _, key := library.Key(in.From); key || in.Adapt && !own {
			return nil, &care.Error{Code: care.Conflict, Key: "draft.not_own"}
		}
		return a.instrumentFor(tx, practice, in.From, f.Version)
	}
	return nil, care.Missing()
}

// ownWork reports whether the ground in force for a form is that the practice
// wrote it.
func ownWork(tx Tx, practice care.ID, id string) (bool, error) {
	all, err := tx.Grants(practice)
	return slices.ContainsFunc(all, func(g care.Grant) bool {
		return g.Instrument == id && g.InForce() && g.Ground == care.OwnWork
	}), err
}

// adapt makes a draft one of a new form: what was found out about the old one is
// not known of it, and it says where its words come from.
func adapt(d *instrument.Draft, in NewDraft) {
	d.Validated = false
	for i := range d.Scales {
		d.Scales[i].Reliability, d.Scales[i].Cutoff = nil, nil
	}
	for _, lang := range d.Languages {
		d.Name[lang] += in.Name.In(lang)
		if from := d.Notice[lang]; from != "" {
			d.Notice[lang] = in.Notice.In(lang) + from
		}
	}
}

// packed is a draft as it is kept.
func packed(d instrument.Draft) (string, error) {
	if len(d.Items) > instrument.MostItems || len(d.Scales) > instrument.MostScales {
		return "", care.Bad("", "field.too_long")
	}
	data, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("draft: %w", err)
	}
	if len(data) > maxDefinition {
		return "", care.Bad("", "field.too_long")
	}
	return string(data), nil
}

// SaveDraft keeps what was typed, right or wrong, and returns the new revision.
// Managers only. Errors: not_found; conflict when revision is not the newest any
// more: somebody, or another tab, saved it since.
func (a *App) SaveDraft(ctx context.Context, actor care.Actor, id care.ID, revision int, form instrument.Draft) (int, error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return 0, err
	}
	text, err := packed(form)
	if err != nil {
		return 0, err
	}
	return revision + 1, a.write(ctx, func(tx Tx) error {
		x, err := newest(tx, actor.Practice, id, revision)
		if err != nil {
			return err
		}
		x.Form, x.Revision, x.By, x.AtMillis = text, revision+1, actor.Staff, a.nowMillis()
		if err := savedSince(tx.SaveDraft(x)); err != nil {
			return err
		}
		return a.audit(tx, actor, "save_draft", id, "", true)
	})
}

// newest is a draft in the revision that somebody has before them.
func newest(tx Tx, practice, id care.ID, revision int) (care.Draft, error) {
	x, err := tx.Draft(practice, id)
	if err == nil && x.Revision != revision {
		err = savedSince(care.Missing())
	}
	return x, err
}

// savedSince says that a draft is not in the revision any more that was read a
// moment ago.
func savedSince(err error) error {
	if care.CodeOf(err) == care.NotFound {
		return &care.Error{Code: care.Conflict, Key: "draft.saved_since"}
	}
	return err
}

// PublishDraft makes a draft the version that whoever looked at it was shown;
// the draft is gone then. Whether the course goes on over it follows from what
// changed, see instrument.Compare. Managers only. Errors: invalid while something
// is wrong with it; conflict when it was saved, or another version published,
// since it was looked at.
func (a *App) PublishDraft(ctx context.Context, actor care.Actor, id care.ID, revision, version int) (f *instrument.Instrument, err error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return nil, err
	}
	return f, a.write(ctx, func(tx Tx) error {
		if _, err := newest(tx, actor.Practice, id, revision); err != nil {
			return err
		}
		d, err := a.draft(tx, actor.Practice, id)
		if err != nil {
			return err
		}
		if d.Version != version {
			return &care.Error{Code: care.Conflict, Key: "draft.published_since"}
		}
		if d.Ready == nil {
			return care.Bad("", "draft.wrong")
		}
		text, err := d.Form.YAML(d.Ready.ID, d.Version)
		if err != nil {
			return fmt.Errorf("draft %s: %w", id, err)
		}
		if f, err = readForm(text); err != nil {
			return err
		}
		if err := mayAskRisk(tx, actor.Practice, f.ID); err != nil {
			return err
		}
		p := care.PracticeForm{Instrument: f.ID, Version: f.Version, PublishedMillis: a.nowMillis()}
		if err := tx.PublishInstrument(actor.Practice, p, text); err != nil {
			return err
		}
		if err := savedSince(tx.DropDraft(actor.Practice, id, revision)); err != nil {
			return err
		}
		return a.audit(tx, actor, "publish_form", "", "", true)
	})
}

// DropDraft takes a draft away, in the revision that whoever does it has seen.
// Managers only. Errors: not_found; conflict when it was saved since.
func (a *App) DropDraft(ctx context.Context, actor care.Actor, id care.ID, revision int) error {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		if _, err := newest(tx, actor.Practice, id, revision); err != nil {
			return err
		}
		if err := savedSince(tx.DropDraft(actor.Practice, id, revision)); err != nil {
			return err
		}
		return a.audit(tx, actor, "drop_draft", id, "", true)
	})
}
