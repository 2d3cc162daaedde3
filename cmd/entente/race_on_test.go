// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build race

package main

// raced tells that the race detector is in this program, which takes several
// times the memory.
const raced = true
