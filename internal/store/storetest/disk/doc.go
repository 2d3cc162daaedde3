// SPDX-License-Identifier: AGPL-3.0-or-later

// Package disk is an invented disk for tests: a file layer under SQLite, in
// memory, that forgets whatever was not synced when its power is cut.
//
// A file has two states: what the running system reads, and what the disk holds
// for certain. Writes and truncations count as loose until the file is synced;
// files made or deleted count as loose until their folder is synced, which
// happens where SQLite's own Unix layer does it. [Disk.PowerCut] keeps what is
// certain and any part of what is loose: some writes and not others, out of
// order, sectors of 512 bytes torn, garbage where a file had only grown.
// [Disk.Break] makes reads, writes and syncs fail; a sync that failed leaves its
// writes readable but, by chance, never on the disk, as Linux does.
//
// The layer is reached by path: every database of the process below the folder
// of a [Disk] rests on it, with the driver, the pragmas and the code that it has
// elsewhere; all other paths go on to the layer that was there before. Shared
// memory and locks are complete, so WAL mode runs as it does on a real disk.
//
// It must never be imported outside tests. One process only: locks are not seen
// by others. Start reading at disk.go, then cut.go; vfs.go is what SQLite calls.
package disk
