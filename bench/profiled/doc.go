// SPDX-License-Identifier: AGPL-3.0-or-later

// Command profiled is Entente's server, put together as cmd/entente does it, that
// also writes profiles of the processor's time: from each SIGUSR1 to the next
// SIGUSR2, into the file that BENCH_PROFILE names and a number. The benchmark's
// -profile builds and runs it; nobody else must, because a profile tells of a
// practice's work. Start reading at main.
package main
