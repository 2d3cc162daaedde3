// SPDX-License-Identifier: AGPL-3.0-or-later

// Package store holds all SQL and migrations, one text for SQLite and
// PostgreSQL. What goes in plain comes out plain; what lies on disk is sealed
// (package vault) with the place it belongs to.
//
// It must never decide a permission, read a clock or make an identifier. Engine
// differences stand in dialect.go alone. Start with Store (store.go) and Tx
// (tx.go).
package store
