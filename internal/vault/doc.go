// SPDX-License-Identifier: AGPL-3.0-or-later

// Package vault holds the keys of an installation and seals whatever names or
// describes a person before it reaches a database, a backup or a log.
//
// The key-encryption keys lie in a key file outside the database ([Create],
// [Open]): one primary, and during a rotation others that still open
// ([AddKey], [Vault.Rewrap], [RemoveKey]). The file opens by itself, or with a
// [Lock]: a passphrase or the command of a key service. The primary key wraps
// data keys ([Vault.NewKey], [Vault.Unwrap]), one per client or practice, which
// are stored wrapped beside the data. An erasable data key also needs its
// owner's share, a small file outside database and backups
// ([Vault.NewErasableKey], [Vault.Erase]).
//
// A data key seals and opens single fields ([Key.Seal], [Key.Open]); every
// sealed field is bound to its [Place], so that a changed byte, or a value moved
// to another row, column or practice, is refused instead of read. [Key.Index]
// gives equal values equal short codes, so that a sealed column can still be
// looked up.
//
// The package must never print a key, never return plaintext from a record that
// does not verify, never write a key where others of the machine can read it,
// never put a secret into an argument of a command, and never import a database
// or the web. Why it is built so: docs/adr/0014-keys.md.
//
// Start reading at place.go (what a sealed value is bound to), then key.go
// (sealing), vault.go (wrapping), keyfile.go and lock.go (the key file),
// change.go (rotation), shares.go (erasure).
package vault
