// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"log/slog"
)

// PracticeForm names one version of an instrument that a practice brought with
// its words. PublishedMillis is 0 for one that came with an import: earlier
// answers are read by it, and it is not asked.
type PracticeForm struct {
	Instrument      string
	Version         int
	PublishedMillis int64
}

// Ground is why a practice may use the words of an instrument.
type Ground string

// The grounds.
const (
	ByPermission Ground = "permission" // the owner allowed it
	ByLicence    Ground = "licence"    // a licence by its name
	OwnWork      Ground = "own"        // the practice wrote it
	PublicDomain Ground = "public_domain"
)

// Grounds lists the grounds.
func Grounds() []Ground { return []Ground{ByPermission, ByLicence, OwnWork, PublicDomain} }

// Grant is the record on what ground a practice uses an instrument's words. What
// people wrote in it, and its file, are sealed with the practice's key.
type Grant struct {
	ID, Practice ID
	Instrument   string
	Ground       Ground
	Licence      string // its name, for ByLicence
	From         string // who gave it
	GivenOn      string // calendar date, empty if not known
	Note         string
	FileKind     string // content type; empty: no file
	File         []byte // only on its way in
	By           ID
	AtMillis     int64
	EndedMillis  int64 // 0: in force
	EndedBy      ID
	EndReason    string
}

// InForce reports whether the words may be used by it.
func (g Grant) InForce() bool { return g.EndedMillis == 0 }

// LogValue keeps what was written out of logs.
func (g Grant) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// String keeps what was written out of texts.
func (g Grant) String() string { return "[sealed]" }

// GrantFileBytes is how large a grant's file may be.
const GrantFileBytes = 1 << 20

// GrantFileKinds are the content types that a grant's file may have.
func GrantFileKinds() []string {
	return []string{"application/pdf", "image/png", "image/jpeg", "text/plain"}
}

// Draft is a form that a practice is writing. Form is what was typed, as JSON;
// wording and key, never anything about a person.
type Draft struct {
	ID, Practice ID
	// Instrument is the form of which it will be the next version, Base the
	// version it was begun from; "" and 0 for a form of its own.
	Instrument string
	Base       int
	Form       string
	Revision   int // counts how often it was saved, so that two tabs notice each other
	By         ID  // who saved it last
	AtMillis   int64
}
