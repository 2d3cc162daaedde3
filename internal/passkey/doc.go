// SPDX-License-Identifier: AGPL-3.0-or-later

// Package passkey makes and checks what a browser is asked and answers when a
// passkey is added or shown (W3C Web Authentication, level 3). It knows nothing of
// accounts, databases or time: whoever calls it keeps the challenge, and lets it
// count once.
//
// A passkey here is always discoverable, and the device has always made sure of
// the person by its own PIN or fingerprint: so it is two factors, and nobody types
// a name.
package passkey
