// SPDX-License-Identifier: AGPL-3.0-or-later

// Command pocket is PocketBase, made to do what it can of the work that Entente
// does for a submission, with every commit on disk before it is acknowledged.
// The benchmark beside it starts it as a process of its own. It must never do
// more than a maker of such a program with PocketBase would need: whatever it
// does too much would flatter Entente. Start reading at main.
package main
