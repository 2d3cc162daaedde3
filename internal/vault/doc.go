// SPDX-License-Identifier: AGPL-3.0-or-later

// Package vault holds the keys of an installation and seals whatever names or
// describes a person before it reaches a database, a backup or a log.
//
// One key-encryption key lives in a file outside the database ([Create],
// [Open]). It wraps data keys ([Vault.NewKey], [Vault.Unwrap]), one per client
// or practice, which are stored wrapped beside the data. A data key seals and
// opens single fields ([Key.Seal], [Key.Open]); every sealed field is bound to
// its [Place], so that a changed byte, or a value moved to another row, column
// or practice, is refused instead of read. [Key.Index] gives equal values equal
// short codes, so that a sealed column can still be looked up.
//
// The package must never print a key, never return plaintext from a record that
// does not verify, never write a key where others of the machine can read it,
// and never import a database or the web.
//
// Start reading at place.go (what a sealed value is bound to), then key.go
// (sealing), then vault.go (the key file and the wrapping).
package vault
