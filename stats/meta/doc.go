// SPDX-License-Identifier: AGPL-3.0-or-later

// Package meta combines the effect sizes of many studies: what they have in
// common, how far they differ, what explains the difference, and how much of
// the picture a selective literature could have painted.
//
// Where to start reading. [Effect] and the functions that return one turn what
// a study reports into an effect size with its sampling variance. [Fit] pools
// them, with or without moderators, under one of nine estimators of the
// variance between studies; [Result] is the table, from which follow prediction
// intervals ([Result.Predict]), intervals for heterogeneity
// ([Result.QProfile], [Result.ProfileLikelihood]) and estimates of each study's
// true effect ([Result.StudyEffects]). [FitSubgroups] compares groups of
// studies, [PermutationTest] tests moderators without normality.
//
// [FitMultilevel] is for several effects from one study: levels of nesting,
// correlated sampling errors, or both. [Result.Robust] and
// [MultilevelResult.Robust] make standard errors that hold when that working
// model is wrong, with the test of several coefficients at once in
// [RobustResult.WaldHTZ]; [RobustCorrelated] and [RobustHierarchical] do it with
// weights from moments.
//
// [Egger], [Begg], [TrimFill], [PET], [PEESE], [Failsafe] and [Select] ask what
// may be missing; [Influence], [LeaveOneOut] and [Cumulative] ask what hangs on
// a single study. [Live] keeps a pooled result up to date as studies arrive.
//
// Inside, tau2.go is the engine of the models with one variance: every
// quantity is a sum over studies at a given tau², so that a fit costs time
// linear in their number. tree.go is the engine of the models with several:
// one walk up the tree of groups gives the likelihood with its exact first and
// second derivatives in time linear in rows.
//
// Conventions. Where the literature has several formulas under one name, that
// of Viechtbauer's metafor (doi 10.18637/jss.v036.i03) is the default, because
// readers will compare; the contract of each function says which. A degree of
// freedom of 0 stands for the normal distribution. A pointer that is nil is a
// quantity that the model does not define. Data that no model can use is a
// [DataError] that names the row and the column; a fit on the boundary, or one
// whose search did not end, says so in its [State].
//
// The package must never read files, talk to a network, know where its numbers
// came from, or put a NaN or an infinity into a result.
package meta
