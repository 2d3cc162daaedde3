// SPDX-License-Identifier: AGPL-3.0-or-later

// Package lmm fits Gaussian linear mixed models: regressions in which persons,
// therapists or couples have effects of their own,
//
//	y = X beta + Z b + e,  b ~ N(0, sigma^2 Lambda Lambda'),  e ~ N(0, sigma^2 R),
//
// by restricted or full maximum likelihood. [Fit] takes a formula as lme4 writes
// it and a [stats.Frame]:
//
//	m, err := lmm.Fit("bdi ~ session + (session | id)", frame, nil)
//
// Random intercepts and slopes may be correlated or not, nested or crossed, of
// several groupings; residuals may have weights, be correlated in time or in
// pairs, and differ in variance ([Options]). A [Model] holds the estimates, the
// conditional modes of each group and a [State] that says how far to trust it.
// For tests of the fixed effects there are [Model.Satterthwaite],
// [Model.KenwardRoger] and [Model.Containment]; [Compare] sets two models against
// each other.
//
// The criterion is that of Bates, Mächler, Bolker and Walker (2015, Journal of
// Statistical Software 67(1)), with its gradient, over sums taken once for each
// group: the cost of a step is in the number of groups, never of rows. Crossed
// groupings go through a sparse Cholesky factorisation in blocks.
//
// The package must never return a number that is not finite, call a fit
// converged that it has not checked, or hide a variance that ended at nought: it
// is named in State.Singular. It knows nothing of files or people.
//
// Start reading at [Fit], then criterion.go, then group.go.
package lmm
