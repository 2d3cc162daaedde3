// SPDX-License-Identifier: AGPL-3.0-or-later

// Package instrument holds questionnaires as data and the pure code that
// reads, checks and scores them.
//
// An [Instrument] is one version of one form for one informant: its items in
// every language, its scales, its licence. [Parse] reads it from YAML and names
// each mistake with its line and column; [Instrument.Check] says whether
// answers fit the form; [Instrument.Score] computes the scales. Schema is the
// JSON Schema of the YAML, for editors and other programs.
//
// # What is never done
//
// A missing answer is never read as a number, and least of all as 0. An item is
// missing if it was not answered, if "rather not say" was chosen, or if the
// value does not fit the item. A scale with more missing items than it allows
// has no score: OK is false and Value is NaN. The session forms of the library
// allow none in a scale of two items, because the mean of one of them is the
// answer to another question, and a course that changes from one to the other
// would show change where there is none.
//
// The package knows nothing of HTTP, SQL, files or the time; it holds no
// wording of a published scale; and it never averages over informants.
//
// # Where to start reading
//
// instrument.go for the types, score.go for the arithmetic, parse.go for the
// file format, and library/session-client-adult.v1.yaml for an example.
package instrument
