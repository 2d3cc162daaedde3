// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// Identity is what an outside provider calls a member of staff, who has linked it
// to their account.
type Identity struct {
	ID           ID
	Practice     ID
	Staff        ID
	TokenHash    []byte // of issuer and subject, by which it is found
	Provider     string // its short word, as the operator wrote it
	Email        string // as the provider said it when it was linked
	LinkedMillis int64
}

// Flow is one attempt to come in by a provider, from the click to the way back.
type Flow struct {
	StateHash     []byte // of what travels through the provider, once
	BrowserHash   []byte // of what stays in the browser that began it
	Provider      string
	ExpiresMillis int64

	// Set when somebody who is signed in links their account.
	Practice, Staff, SignIn ID
}
