// SPDX-License-Identifier: AGPL-3.0-or-later

// Package storetest starts what the tests of the store need: a PostgreSQL
// server of this process's own, and in it a fresh database for each test.
//
// It must never be imported outside tests, and never reach a server that it did
// not start itself. Start with Postgres in postgres.go.
package storetest
