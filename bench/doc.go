// SPDX-License-Identifier: AGPL-3.0-or-later

// Command bench measures Entente as its users meet it: the real program, started
// as a process, with everything done over HTTP, in turn with PocketBase, with
// SQLite's and with PostgreSQL's own limits. It prints the table "Speed and size
// it must reach" with what was measured. It must never turn a protection of the
// server off, nor count an answer that it has not seen acknowledged. It is a
// module of its own, so that the product does not depend on what it is compared
// with. It runs on Linux. Start reading at main, then pairs.go; what is and is
// not equal in the comparison stands in docs/benchmarks.md.
package main
