// SPDX-License-Identifier: AGPL-3.0-or-later

// Package care holds the words of the field and their invariants: practice,
// staff, client, episode, session, rating, invitation; who may do what; and the
// error codes every room speaks. It uses the standard library only and knows
// nothing of SQL, HTTP, files or keys.
//
// It must never read a clock, make an identifier or hold a secret: those are
// handed in. Start with Actor (actor.go), then Permission (permission.go).
package care
