// SPDX-License-Identifier: AGPL-3.0-or-later

// Package psych is psychometrics: how reliable a scale is, how far raters
// agree, whether one person has changed, and what factors lie behind the items.
//
//   - Reliability: [Alpha], [OmegaModel], [OmegaHierarchical], [SchmidLeiman].
//   - Agreement: [ICC], [Kappa], [Polychoric], [PolychoricTable].
//   - One person's change: [ReliableChange], [Cutoffs], [Individuals], [EWMA],
//     [CUSUM].
//   - Two raters: [ResponseSurface], [TruthBias], [TruthBiasSessions], [APIM].
//   - Factor models: [ParseModel], [BifactorModel], [CFA], [Compare],
//     [Invariance].
//   - Items: [GradedResponse].
//
// A table of data is persons in rows and items in columns; NaN is a missing
// answer, and nothing else is. Bad data give an error that names the row or
// column. A fit that did not converge, or lies on a boundary, says so in a
// field of its result; no result ever holds NaN or an infinity.
//
// Not here: factor models with ordered and continuous items together, the theta
// parameterisation, constraints other than equality, two levels. Observed
// variables that only explain others count as random, where lavaan by default
// takes them as fixed: estimates and test are the same, but not the number of
// parameters, the likelihood or the baseline.
//
// The package must never read a file, keep state between calls, or draw random
// numbers. Start reading with Alpha (alpha.go), then CFA (cfa.go).
package psych
