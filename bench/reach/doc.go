// SPDX-License-Identifier: AGPL-3.0-or-later

// Command reach sets the statistics packages beside R: the same data, the same
// model, in turn on the same machine (ours, R, ours, R, ...), the median of the
// pairs, and every estimate of each pair compared. R stays one process whose
// packages are loaded and whose data are in memory before a clock starts, as
// ours are. Run it from this module's folder, or by make bench-stats, which
// puts the table into docs/statistics.md.
//
// It must never print a ratio for values that differ. Without R it says so and
// measures our side alone. Start reading at jobs.go.
package main
