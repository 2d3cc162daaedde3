// SPDX-License-Identifier: AGPL-3.0-or-later

// Package auth holds the secrets by which people and links are recognised:
// passwords, PINs and random tokens.
//
// Passwords and PINs are kept only as argon2id hashes; tokens only as hashes
// for one purpose. Rules for a new password follow NIST SP 800-63B-4: length
// and a blocklist, no rules of composition.
//
// The package must never log, print or return a password, PIN or token text
// except by [Token.Text], never answer faster for an unknown account
// ([VerifyDummy]), and never store anything: it knows no database and no web.
//
// Start reading at password.go (hashing), then policy.go (what a new password
// must be) and token.go (links).
package auth
