// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// Help is what a manager, or the operator of the server, did to the sign-ins of
// a member of staff.
type Help struct {
	ID       ID
	Practice ID
	Staff    ID
	By       ID // "" for the operator of the server
	Kind     HelpKind
	Reason   string
	AtMillis int64
}

// HelpKind says what was done.
type HelpKind string

// What can be done to a colleague's sign-ins. Nobody sets another's password.
const (
	EndedSignIns HelpKind = "ended_sign_ins" // all of them
	ResetSecond  HelpKind = "reset_second"   // and all sign-ins ended
	SentLink     HelpKind = "sent_link"      // a mail to their own address, to choose a password
	EndedAccount HelpKind = "ended_account"  // for good
	Recovered    HelpKind = "recovered"      // by the operator: second factor gone, sign-ins ended, a link to choose a password
)

// Proof is what somebody showed when they signed in.
type Proof string

// The proofs. A short password was taken beside a second factor that is there no
// more: alone it opens only the own account.
const (
	ByPassword      Proof = ""
	ByShortPassword Proof = "short"
	ByTwo           Proof = "two" // two factors
)
