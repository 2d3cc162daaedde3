// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import "fmt"

// AuditEntry is one line of what was done, by whom, to what.
type AuditEntry struct {
	ID       ID
	Practice ID
	AtMillis int64
	Actor    ID // staff, or invitation
	Action   string
	Record   ID
	About    ID   // the client or episode that the record is about, "" for none
	Changes  bool // true when something was written, false for reads
	Lane     int  // which of the practice's chains it stands in
	Seq      int64
}

// AuditFault is the first line of a practice's audit that is not as it was
// written.
type AuditFault struct {
	Practice ID
	Lane     int
	Seq      int64
	ID       ID // "" where the line is missing
	What     FaultKind
}

// FaultKind says what happened to a line of the audit.
type FaultKind string

// The kinds. A line that was swapped with another shows as altered.
const (
	LineAltered FaultKind = "altered"
	LineMissing FaultKind = "missing"
	TailCut     FaultKind = "cut"      // the newest lines are missing
	HeadAltered FaultKind = "head"     // the count of lines is not the one that was kept
	NotAnchored FaultKind = "anchor"   // a head noted earlier is not in this audit
	NoAudit     FaultKind = "no audit" // a practice without any line
)

func (f AuditFault) Error() string {
	where := fmt.Sprintf("practice %s, chain %d, line %d", f.Practice, f.Lane, f.Seq)
	switch f.What {
	case LineAltered:
		return where + " (" + string(f.ID) + "): was altered, swapped or put in"
	case LineMissing:
		return where + ": is missing"
	case TailCut:
		return where + " and what follows: the newest lines are missing"
	case HeadAltered:
		return where + ": the head kept beside the lines was altered"
	case NotAnchored:
		return where + ": the head noted earlier is not in this audit; it was cut, replaced or restored from an older copy"
	case NoAudit:
		return "practice " + string(f.Practice) + ": has no audit"
	}
	return where + ": " + string(f.What)
}
