// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// Passkey is a passkey that a member of staff has added to their account.
type Passkey struct {
	ID            ID
	Practice      ID
	Staff         ID
	TokenHash     []byte // of what the passkey calls itself, by which it is found
	Name          string // as its owner calls it
	Credential    []byte // what is needed to check it, as JSON; nothing secret
	CreatedMillis int64
	UsedMillis    int64 // 0: not yet
}
