// SPDX-License-Identifier: AGPL-3.0-or-later

// Package outcome says how a person fares beside their alliance: whether the
// change since the first score is more than error of measurement, whether there
// was a sudden gain or loss, and whether the course is as is to be expected of
// people who began alike.
//
//   - [Figures]: reliable and clinically significant change, Jacobson and Truax
//     (1991).
//   - [SuddenRule]: sudden gains and losses, Tang and DeRubeis (1999).
//   - [FitGrowth], [Growth]: expected response, a mixed model on one's own closed
//     episodes, from [FewestEpisodes] on.
//   - [Figures.Judge]: all of it as one state.
//
// A course is a slice with one score for each session, the first session first and
// NaN where nothing was scored. It is pure: no clock, no file, no randomness. It
// must never read a missing score as a number, give a band where there are too few
// episodes to tell one, or call a difference reliable whose error is not known.
//
// Start reading with Figures (change.go), then Judge (judge.go).
package outcome
