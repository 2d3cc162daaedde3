// SPDX-License-Identifier: AGPL-3.0-or-later

// Command profiled is Entente's server, put together as cmd/entente does it,
// with a profile of the processor's time written from its start to its end into
// the file that BENCH_PROFILE names, ending in the number of the process. The
// benchmark runs it with -server; nobody else must, because a profile tells of a
// practice's work. Start reading at main.
package main
