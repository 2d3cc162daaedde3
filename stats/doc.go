// SPDX-License-Identifier: AGPL-3.0-or-later

// Package stats holds what every model needs before it can be fitted: a small
// table of named columns, the language of formulas, and the matrices that come
// of the two.
//
// A [Frame] is a table of numeric columns and factors in which a missing value
// is said to be missing and never passes as a number. [ReadCSV] fills one from
// a stream, finds out the delimiter and the decimal mark, and names a bad cell
// by its line and column. [ParseFormula] reads the formulas of the field,
//
//	y ~ a*b + I(x^2) + (1 + x | g) + (x || h) + (1 | a/b)
//
// and [NewDesign] makes of a formula and a frame the response, the matrix of
// the fixed effects with its contrasts, and the columns and groups of each
// random term. [Within], [Between] and [Lag] prepare what a study of sessions
// needs: the part of a score that is the person's own level, the part that
// changes from session to session, and the session before.
//
// [NoncentralChiSquared] and [BivariateNormalCDF] are distributions that gonum
// lacks.
//
// The package must never open a file, speak to a network, or know of clients
// and therapists; it must never fill in a missing value, and never return a
// number that is not finite where a value is expected.
//
// Start reading at [Frame], then [Formula], then [Design].
package stats
