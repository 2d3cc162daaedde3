// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"fmt"
	"log/slog"
	"slices"
)

// ConsentKind is what somebody is asked to agree to, or to have read.
type ConsentKind string

// The kinds. A minor's assent is their own word, beside whoever consents for them.
const (
	ToTreatment ConsentKind = "treatment"
	DataNotice  ConsentKind = "data_notice"
	SharingRule ConsentKind = "sharing"
	ToResearch  ConsentKind = "research"
	Assent      ConsentKind = "assent"
)

// ConsentKinds lists them in the order pages show them.
func ConsentKinds() []ConsentKind {
	return []ConsentKind{ToTreatment, Assent, DataNotice, SharingRule, ToResearch}
}

// ConsentState is what somebody said, or what a court did.
type ConsentState string

// The states. Sole is given by whoever holds parental responsibility alone, with
// the document that says so seen. The last two are the therapist's: that forms are
// asked although the practice's rule is not met, and the end of that.
const (
	Given       ConsentState = "given"
	Refused     ConsentState = "refused"
	Withdrawn   ConsentState = "withdrawn"
	Sole        ConsentState = "sole"
	CourtOrder  ConsentState = "court_order"
	Overridden  ConsentState = "overridden"
	OverrideEnd ConsentState = "override_ended"
)

// Capacity is in what right somebody consents for a client.
type Capacity string

// The capacities.
const (
	AsClient  Capacity = "client"
	AsHolder1 Capacity = "holder_1"
	AsHolder2 Capacity = "holder_2"
	AsLegal   Capacity = "guardian"
	AsCourt   Capacity = "court"
)

// Capacities lists those that a person beside the client may have.
func Capacities() []Capacity { return []Capacity{AsHolder1, AsHolder2, AsLegal, AsCourt} }

// ConsentWay is how somebody said it.
type ConsentWay string

// The ways.
const (
	OnPaper   ConsentWay = "paper"
	InPerson  ConsentWay = "person" // on the screen, with the therapist there
	ByOwnLink ConsentWay = "link"
)

// ConsentHolder is a person who consents for a client. It is a record of its own: the
// name is sealed with the client's key.
type ConsentHolder struct {
	ID       ID
	Practice ID
	Client   ID
	Capacity Capacity
	Name     string
	AtMillis int64
}

// ConsentText is one version of a practice's text of one kind, by language. Versions
// of one edition say the same: a correction keeps the edition, a change begins one.
type ConsentText struct {
	Practice ID
	Kind     ConsentKind
	Version  int
	Edition  int
	Words    map[string]string
	By       ID
	AtMillis int64
}

// In is the text in a language, or else in the first that there is, and which.
func (t ConsentText) In(language string) (text, in string) {
	if t.Words[language] != "" {
		return t.Words[language], language
	}
	for _, l := range []string{"en", "it"} {
		if t.Words[l] != "" {
			return t.Words[l], l
		}
	}
	return "", ""
}

// ConsentRecord is what one person said to one version of one text. Records are only
// added: whoever withdraws adds one. Person is the client or a holder.
type ConsentRecord struct {
	ID       ID
	Practice ID
	Client   ID
	Person   ID
	Kind     ConsentKind
	Version  int // of the text that was read; 0 for an order or an override
	Language string
	State    ConsentState
	How      ConsentWay
	By       ID // the member of staff who recorded it, or the link that it came by
	Seq      int64
	AtMillis int64
	Note     string
}

// LogValue keeps a reason out of every log.
func (ConsentRecord) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// ConsentLink is a person's own way to the texts that concern them. Tokens are kept
// as hashes only.
type ConsentLink struct {
	ID            ID
	Practice      ID
	Client        ID
	Person        ID
	TokenHash     []byte
	VisitHash     []byte
	CreatedMillis int64
	ExpiresMillis int64
	RevokedMillis int64
}

// HoldersRule is whose consent to a minor's treatment a practice waits for.
type HoldersRule string

// The rules. A refusal stands in the way under each but by a court's order, or where
// one holds responsibility alone.
const (
	NoRule     HoldersRule = "off" // records are kept, nothing waits
	BothNeeded HoldersRule = "both"
	OneEnough  HoldersRule = "one"
	CourtOnly  HoldersRule = "court"
)

// HoldersRules lists them.
func HoldersRules() []HoldersRule { return []HoldersRule{NoRule, BothNeeded, OneEnough, CourtOnly} }

// ConsentRule is what a practice waits for before a minor is asked anything.
type ConsentRule struct {
	Holders   HoldersRule
	OwnAge    int   // from which a minor consents alone; 0: never
	AssentAge int   // from which a minor's own yes is needed; 0: never
	Reviews   []int // the ages at which access to a client is reviewed
}

// Check refuses what is no rule, with its field.
func (r ConsentRule) Check() error {
	switch {
	case !slices.Contains(HoldersRules(), r.Holders):
		return Bad("holders", "field.choice")
	case r.OwnAge != 0 && (r.OwnAge < 12 || r.OwnAge > 18):
		return Bad("own_age", "consent.bad_own_age")
	case r.AssentAge != 0 && (r.AssentAge < 5 || r.AssentAge > 18):
		return Bad("assent_age", "consent.bad_assent_age")
	}
	return nil
}

// Consents is all that is recorded of one client's consents.
type Consents struct {
	Client  Client
	Birth   Birth  // zero where it is not noted
	On      string // the calendar date of looking
	Holders []ConsentHolder
	Records []ConsentRecord // oldest first
	Texts   []ConsentText   // every version
}

// Age is the client's age in years, or the least that the band leaves open where no
// birth is noted.
func (c Consents) Age() int {
	if years, ok := c.Birth.AgeOn(c.On); ok {
		return years
	}
	return map[AgeBand]int{Child: 6, Adolescent: 13, Adult: 18}[c.Client.AgeBand]
}

// Minor says whether others consent for the client.
func (c Consents) Minor() bool { return c.Client.AgeBand != Adult && c.Age() < 18 }

// Newest is the text of a kind in force; ok is false where there is none.
func (c Consents) Newest(k ConsentKind) (t ConsentText, ok bool) {
	for _, x := range c.Texts {
		if x.Kind == k && x.Version > t.Version {
			t, ok = x, true
		}
	}
	return t, ok
}

// Last is what a person said last about a kind; ok is false when they said nothing.
func (c Consents) Last(person ID, k ConsentKind) (r ConsentRecord, ok bool) {
	for _, x := range c.Records {
		if x.Person == person && x.Kind == k && x.State != Overridden && x.State != OverrideEnd {
			r, ok = x, true
		}
	}
	return r, ok
}

// Override is the therapist's decision to ask all the same, if one is in force.
func (c Consents) Override() (r ConsentRecord, ok bool) {
	for _, x := range c.Records {
		if x.State == Overridden || x.State == OverrideEnd {
			r, ok = x, x.State == Overridden
		}
	}
	return r, ok
}

// Outdated says that a record is about an edition that another has followed: it is
// asked anew, and counts for nothing meanwhile.
func (c Consents) Outdated(r ConsentRecord) bool {
	now, ok := c.Newest(r.Kind)
	if !ok || r.Version == 0 {
		return false
	}
	for _, t := range c.Texts {
		if t.Kind == r.Kind && t.Version == r.Version {
			return t.Edition != now.Edition
		}
	}
	return true
}

// Says reports whether a person's last word about a kind is a yes that counts now.
func (c Consents) Says(person ID, k ConsentKind) bool {
	r, ok := c.Last(person, k)
	return ok && (r.State == Given || r.State == Sole || r.State == CourtOrder) && !c.Outdated(r)
}

// ConsentGap is one thing that a practice's rule still waits for.
type ConsentGap struct {
	What   ConsentLack
	Person ID // "" for nobody in particular
}

// ConsentLack is why a rule is not met.
type ConsentLack string

// What can be lacking.
const (
	LacksHolders   ConsentLack = "holders"   // fewer holders are recorded than the rule asks
	LacksWord      ConsentLack = "word"      // somebody has said nothing yet
	LacksRefused   ConsentLack = "refused"   // somebody said no
	LacksWithdrawn ConsentLack = "withdrawn" // somebody took their yes back
	LacksNewWord   ConsentLack = "outdated"  // the text has changed since
	LacksCourt     ConsentLack = "court"     // a court's order
)

// Lacks is what stands between a minor and their forms: nil when nothing does, as for
// an adult, without a rule, or with an override.
func (r ConsentRule) Lacks(c Consents) (out []ConsentGap) {
	if _, over := c.Override(); over || r.Holders == NoRule || r.Holders == "" || !c.Minor() {
		return nil
	}
	if r.OwnAge > 0 && c.Age() >= r.OwnAge {
		return c.lack(c.Client.ID, ToTreatment)
	}
	out = r.lackOfHolders(c)
	if r.AssentAge > 0 && c.Age() >= r.AssentAge {
		out = append(out, c.lack(c.Client.ID, Assent)...)
	}
	return out
}

// lack is what is missing of one person's word, nil if it is a yes.
func (c Consents) lack(person ID, k ConsentKind) []ConsentGap {
	r, ok := c.Last(person, k)
	switch {
	case !ok:
		return []ConsentGap{{LacksWord, person}}
	case r.State == Refused:
		return []ConsentGap{{LacksRefused, person}}
	case r.State == Withdrawn:
		return []ConsentGap{{LacksWithdrawn, person}}
	case c.Outdated(r):
		return []ConsentGap{{LacksNewWord, person}}
	}
	return nil
}

func (r ConsentRule) lackOfHolders(c Consents) (out []ConsentGap) {
	for _, h := range c.Holders {
		last, ok := c.Last(h.ID, ToTreatment)
		if ok && c.Says(h.ID, ToTreatment) && (last.State == CourtOrder || last.State == Sole) {
			return nil
		}
	}
	if r.Holders == CourtOnly {
		return []ConsentGap{{LacksCourt, ""}}
	}
	var waits []ConsentGap
	yes, all, legal := 0, 0, false
	for _, h := range c.Holders {
		if h.Capacity == AsCourt {
			continue
		}
		all++
		gaps := c.lack(h.ID, ToTreatment)
		if gaps == nil {
			yes++
			legal = legal || h.Capacity == AsLegal
			continue
		}
		if w := gaps[0].What; w == LacksRefused || w == LacksWithdrawn {
			out = append(out, gaps...)
			continue
		}
		waits = append(waits, gaps...)
	}
	switch {
	case legal, r.Holders == OneEnough && yes > 0:
		return out
	case all == 0, r.Holders == BothNeeded && all < 2:
		return append(append(out, waits...), ConsentGap{LacksHolders, ""})
	}
	return append(out, waits...)
}

// ConsentsFor are the kinds that a person is asked, given in what right and whether
// the client is a minor who does not consent alone.
func ConsentsFor(as Capacity, minor, alone bool) []ConsentKind {
	switch {
	case as == AsCourt:
		return []ConsentKind{ToTreatment}
	case as != AsClient:
		return []ConsentKind{ToTreatment, DataNotice, SharingRule, ToResearch}
	case minor && !alone:
		return []ConsentKind{Assent, DataNotice, SharingRule}
	}
	return []ConsentKind{ToTreatment, DataNotice, ToResearch}
}

// Place binds a record's sealed note to all that gives it meaning, so that a state
// that is altered outside the program is found.
func (r ConsentRecord) Place() string {
	return fmt.Sprint(r.Client, " ", r.Person, " ", r.Kind, " ", r.Version, " ", r.Language, " ", r.State, " ", r.How, " ", r.By, " ", r.Seq, " ", r.AtMillis)
}

// CapacityOf is in what right a person consents for the client; ok is false for
// whoever does not.
func (c Consents) CapacityOf(person ID) (as Capacity, ok bool) {
	if person == c.Client.ID {
		return AsClient, true
	}
	for _, h := range c.Holders {
		if h.ID == person {
			return h.Capacity, true
		}
	}
	return "", false
}

// Alone says whether the client, a minor, consents without anybody else.
func (r ConsentRule) Alone(c Consents) bool { return r.OwnAge > 0 && c.Age() >= r.OwnAge }

// Fits says whether this can be recorded of somebody about a kind: an order is a
// court's, and only a holder has sole responsibility.
func (s ConsentState) Fits(as Capacity, k ConsentKind) bool {
	switch s {
	case Withdrawn:
		return true
	case Given, Refused:
		return as != AsCourt
	case Sole:
		return k == ToTreatment && (as == AsHolder1 || as == AsHolder2)
	case CourtOrder:
		return as == AsCourt
	}
	return false
}
