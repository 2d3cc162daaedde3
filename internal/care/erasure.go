// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// ErasureReason is why a person was erased. It is one of a few, and no text: a
// text would be the last place where something about the person stands.
type ErasureReason string

// The reasons.
const (
	AskedFor       ErasureReason = "asked"   // the person asked for it
	KeptLongEnough ErasureReason = "kept"    // the time for which it had to be kept is over
	EnteredWrongly ErasureReason = "mistake" // should never have been entered
	ErasedBefore   ErasureReason = "before"  // found in a restored backup, after an earlier erasure
)

// ErasureReasons are those a person chooses from.
func ErasureReasons() []ErasureReason {
	return []ErasureReason{AskedFor, KeptLongEnough, EnteredWrongly}
}

// Holdings counts what is kept about one client.
type Holdings struct {
	Episodes    int64 // of this client alone
	Shared      int64 // with others, for whom they stay
	Sessions    int64 // of the episodes of this client alone
	Responses   int64
	Notes       int64
	Invitations int64
}

// Erasure says that a person was erased. It outlives them and names nobody.
type Erasure struct {
	Practice        ID
	Client          ID
	By              ID
	Reason          ErasureReason
	AtMillis        int64
	DestroyedMillis int64 // when the key was destroyed; 0: not yet
	Went            Holdings
}
