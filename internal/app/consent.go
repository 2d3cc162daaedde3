// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

type consentRuleTx interface {
	ConsentRule(practice care.ID) (care.ConsentRule, error)
	SetConsentRule(practice care.ID, r care.ConsentRule, by care.ID, atMillis int64) error
	ConsentTexts(practice care.ID) ([]care.ConsentText, error)
	AddConsentText(care.ConsentText) (bool, error)
}

type consentTx interface {
	AddConsentHolder(care.ConsentHolder) (bool, error)
	ConsentHolders(practice, client care.ID) ([]care.ConsentHolder, error)
	AddConsentRecord(care.ConsentRecord) error
	ConsentRecords(practice, client care.ID) ([]care.ConsentRecord, error)
}

// MaxConsentText bounds one text, in characters.
const MaxConsentText = 12_000

// consentRule is a practice's rule; a practice that has said nothing waits for nothing.
func consentRule(tx Tx, practice care.ID) (care.ConsentRule, error) {
	r, err := tx.ConsentRule(practice)
	if care.CodeOf(err) == care.NotFound {
		return care.ConsentRule{Holders: care.NoRule, Reviews: care.UsualReviews()}, nil
	}
	return r, err
}

// consentsOf is all that is recorded of a client's consents.
func (a *App) consentsOf(tx Tx, practice, client care.ID) (c care.Consents, err error) {
	if c.Client, err = tx.NamedClient(practice, client); err != nil {
		return c, err
	}
	tx.Damaged() // a name that does not open changes nothing of what was said
	if c.Birth, err = birthOf(tx, practice, client); err != nil {
		return c, err
	}
	if c.On, err = a.today(tx, practice); err != nil {
		return c, err
	}
	if c.Holders, err = tx.ConsentHolders(practice, client); err != nil {
		return c, err
	}
	if c.Records, err = tx.ConsentRecords(practice, client); err != nil {
		return c, err
	}
	c.Texts, err = tx.ConsentTexts(practice)
	return c, err
}

// consentWaits is what a respondent is told whose questions are not open.
func consentWaits() *care.Error { return &care.Error{Code: care.Forbidden, Key: "consent.waiting"} }

// consentMet gives refusal where a minor may not be asked anything yet. It is
// asked anew at each step, so that a withdrawal holds at once for links given out.
func (a *App) consentMet(tx Tx, practice, client care.ID, refusal *care.Error) error {
	rule, err := consentRule(tx, practice)
	if err != nil || rule.Holders == care.NoRule {
		return err
	}
	who, err := tx.NamedClient(practice, client)
	if err != nil {
		return err
	}
	tx.Damaged()
	if who.AgeBand == care.Adult {
		return nil
	}
	c, err := a.consentsOf(tx, practice, client)
	if err != nil {
		return err
	}
	if len(rule.Lacks(c)) > 0 {
		return refusal
	}
	return nil
}

// ConsentSetting is what a practice waits for and all versions of its texts.
type ConsentSetting struct {
	Rule  care.ConsentRule
	Texts []care.ConsentText
}

// ConsentSetting tells a manager the practice's rule and texts.
func (a *App) ConsentSetting(ctx context.Context, actor care.Actor) (v ConsentSetting, err error) {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return v, err
	}
	err = a.read(ctx, func(tx Tx) error {
		if v.Rule, err = consentRule(tx, actor.Practice); err != nil {
			return err
		}
		v.Texts, err = tx.ConsentTexts(actor.Practice)
		return err
	})
	return v, err
}

// SetConsentRule changes what is waited for, at once. Managers only. Errors: invalid.
func (a *App) SetConsentRule(ctx context.Context, actor care.Actor, r care.ConsentRule) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		if err := tx.SetConsentRule(actor.Practice, r, actor.Staff, a.nowMillis()); err != nil {
			return err
		}
		return a.audit(tx, actor, "set_consent_rule", actor.Practice, "", true)
	})
}

// PublishConsentText keeps the version after version of a kind's text. A correction
// leaves what was said in force; a change is asked anew of everybody. Managers only.
// Errors: invalid for no words, too many, or a first version that corrects nothing;
// conflict when another version came between.
func (a *App) PublishConsentText(ctx context.Context, actor care.Actor, kind care.ConsentKind, words map[string]string, version int, correction bool) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	if !slices.Contains(care.ConsentKinds(), kind) {
		return care.Missing()
	}
	x := care.ConsentText{Practice: actor.Practice, Kind: kind, Version: version + 1, Words: map[string]string{}, By: actor.Staff, AtMillis: a.nowMillis()}
	for _, l := range slices.Sorted(maps.Keys(words)) {
		text := strings.TrimSpace(strings.ReplaceAll(words[l], "\r\n", "\n"))
		switch {
		case !slices.Contains(Languages, l):
			return care.Bad("text-"+l, "field.choice")
		case len([]rune(text)) > MaxConsentText:
			return care.Bad("text-"+l, "field.too_long")
		case text != "":
			x.Words[l] = text
		}
	}
	if len(x.Words) == 0 {
		return care.Bad("text-"+Languages[0], "field.needed")
	}
	return a.write(ctx, func(tx Tx) error {
		texts, err := tx.ConsentTexts(actor.Practice)
		if err != nil {
			return err
		}
		last, known := care.Consents{Texts: texts}.Newest(kind)
		switch {
		case last.Version != version:
			return &care.Error{Code: care.Conflict, Key: "consent.text_moved"}
		case !known && correction:
			return care.Bad("", "field.choice")
		}
		x.Edition = last.Edition
		if !correction {
			x.Edition++
		}
		added, err := tx.AddConsentText(x)
		if err != nil {
			return err
		}
		if !added {
			return &care.Error{Code: care.Conflict, Key: "consent.text_moved"}
		}
		return a.audit(tx, actor, "publish_consent_text", actor.Practice, "", true)
	})
}

// ConsentView is what a client's therapist sees of their consents.
type ConsentView struct {
	care.Consents
	Rule    care.ConsentRule
	Gaps    []care.ConsentGap // what is still waited for; none: forms are asked
	CanAct  bool
	Staff   map[care.ID]string // names of those who recorded something
	InForce bool               // a rule is
	Due     int                // the age at which access is to be reviewed now; 0 for none
}

// Consent shows what was said about a client's treatment, data and sharing. Therapists
// and supervisors of one of the client's episodes only.
func (a *App) Consent(ctx context.Context, actor care.Actor, client care.ID) (v ConsentView, err error) {
	err = a.read(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.ReadCourse, client); err != nil {
			return err
		}
		if v.Consents, err = a.consentsOf(tx, actor.Practice, client); err != nil {
			return err
		}
		if v.Rule, err = consentRule(tx, actor.Practice); err != nil {
			return err
		}
		v.Gaps, v.InForce = v.Rule.Lacks(v.Consents), v.Rule.Holders != care.NoRule
		v.Due = v.Birth.Due(v.Rule.Reviews, v.On)
		switch _, err := a.episodesFor(tx, actor, care.RunSessions, client); care.CodeOf(err) {
		case "":
			v.CanAct = true
		case care.NotFound, care.Forbidden:
		default:
			return err
		}
		v.Staff = map[care.ID]string{}
		for _, r := range v.Records {
			if r.How == care.ByOwnLink || v.Staff[r.By] != "" {
				continue
			}
			s, err := tx.NamedStaff(actor.Practice, r.By)
			if err != nil {
				return err
			}
			tx.Damaged()
			v.Staff[r.By] = s.Name
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	return v, a.noteRead(ctx, actor, "read_consent", client, client)
}

// AddHolder notes who consents for a client, and in what right. Therapists of one of
// the client's episodes only. Errors: invalid; conflict when somebody does so in that
// right already.
func (a *App) AddHolder(ctx context.Context, actor care.Actor, client care.ID, as care.Capacity, name string) (care.ID, error) {
	name = strings.TrimSpace(name)
	h := care.ConsentHolder{ID: a.cfg.NewID(), Practice: actor.Practice, Client: client, Capacity: as, Name: name, AtMillis: a.nowMillis()}
	err := a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		if !slices.Contains(care.Capacities(), as) {
			return care.Bad("capacity", "field.choice")
		}
		if err := checkName("name", name); err != nil {
			return err
		}
		added, err := tx.AddConsentHolder(h)
		if err != nil {
			return err
		}
		if !added {
			return &care.Error{Code: care.Conflict, Field: "capacity", Key: "consent.holder_there"}
		}
		return a.audit(tx, actor, "add_holder", h.ID, client, true)
	})
	return h.ID, err
}

// NewConsent is what somebody said, as a therapist records it.
type NewConsent struct {
	Client, Person care.ID
	Kind           care.ConsentKind
	State          care.ConsentState
	How            care.ConsentWay
	Language       string
	Note           string
}

// RecordConsent keeps what somebody said on paper or in person, to the text in force.
// Therapists of one of the client's episodes only. Errors: invalid for what this person
// is not asked, for a text that is not there, or an order without its particulars.
func (a *App) RecordConsent(ctx context.Context, actor care.Actor, in NewConsent) error {
	in.Note = strings.TrimSpace(in.Note)
	return a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, in.Client); err != nil {
			return err
		}
		c, err := a.consentsOf(tx, actor.Practice, in.Client)
		if err != nil {
			return err
		}
		rule, err := consentRule(tx, actor.Practice)
		if err != nil {
			return err
		}
		r, err := in.record(rule, c)
		if err != nil {
			return err
		}
		r.ID, r.Practice, r.By, r.AtMillis = a.cfg.NewID(), actor.Practice, actor.Staff, a.nowMillis()
		return a.keepConsent(tx, actor, r)
	})
}

func (a *App) keepConsent(tx Tx, actor care.Actor, r care.ConsentRecord) error {
	if err := tx.AddConsentRecord(r); err != nil {
		return err
	}
	return a.audit(tx, actor, "record_consent", r.ID, r.Client, true)
}

// record checks what a therapist says that somebody said.
func (in NewConsent) record(rule care.ConsentRule, c care.Consents) (r care.ConsentRecord, err error) {
	as, ok := c.CapacityOf(in.Person)
	if !ok || !slices.Contains(care.ConsentsFor(as, c.Minor(), rule.Alone(c)), in.Kind) {
		return r, care.Bad("person", "field.choice")
	}
	if in.How != care.OnPaper && in.How != care.InPerson {
		return r, care.Bad("how", "field.choice")
	}
	if len([]rune(in.Note)) > 2000 {
		return r, care.Bad("note", "field.too_long")
	}
	if !slices.Contains(Languages, in.Language) {
		return r, care.Bad("language", "field.choice")
	}
	if !in.State.Fits(as, in.Kind) {
		return r, care.Bad("state", "field.choice")
	}
	if (in.State == care.Sole || in.State == care.CourtOrder) && len([]rune(in.Note)) < leastReason {
		return r, care.Bad("note", "consent.note_short")
	}
	r = care.ConsentRecord{Client: in.Client, Person: in.Person, Kind: in.Kind, State: in.State, How: in.How, Language: in.Language, Note: in.Note}
	if r.Version, err = versionFor(c, r); err != nil {
		return r, err
	}
	return r, nil
}

// versionFor is the version that a record is about: the newest, what was agreed to for
// a withdrawal, none for a court's order.
func versionFor(c care.Consents, r care.ConsentRecord) (int, error) {
	if r.State == care.Withdrawn {
		last, ok := c.Last(r.Person, r.Kind)
		if !ok || last.State == care.Refused || last.State == care.Withdrawn {
			return 0, care.Bad("state", "consent.nothing_given")
		}
		return last.Version, nil
	}
	if r.State == care.CourtOrder {
		return 0, nil
	}
	t, ok := c.Newest(r.Kind)
	if !ok {
		return 0, care.Bad("kind", "consent.no_text")
	}
	return t.Version, nil
}

// OverrideConsent asks a minor's forms although the practice's rule is not met, with a
// reason that is kept, until it is ended by on being false. Therapists of one of the
// client's episodes only. Errors: invalid for a reason that says nothing.
func (a *App) OverrideConsent(ctx context.Context, actor care.Actor, client care.ID, on bool, reason string) error {
	reason = strings.TrimSpace(reason)
	return a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		switch n := len([]rune(reason)); {
		case on && n < leastReason:
			return care.Bad("reason", "consent.note_short")
		case n > 2000:
			return care.Bad("reason", "field.too_long")
		}
		c, err := a.consentsOf(tx, actor.Practice, client)
		if err != nil {
			return err
		}
		if _, over := c.Override(); over == on {
			return nil
		}
		r := care.ConsentRecord{ID: a.cfg.NewID(), Practice: actor.Practice, Client: client, Person: client, Kind: care.ToTreatment, Language: c.Client.Language,
			State: care.OverrideEnd, How: care.InPerson, By: actor.Staff, AtMillis: a.nowMillis(), Note: reason}
		if on {
			r.State = care.Overridden
		}
		if err := a.audit(tx, actor, "override_consent", client, client, true); err != nil {
			return err
		}
		return a.keepConsent(tx, actor, r)
	})
}

// besideIn reports whether a client marked one of their forms as answered with
// somebody beside.
func besideIn(rs []care.Response) bool {
	return slices.ContainsFunc(rs, func(r care.Response) bool { return r.Informant == care.ByClient && r.Content.Beside })
}
