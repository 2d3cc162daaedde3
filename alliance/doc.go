// SPDX-License-Identifier: AGPL-3.0-or-later

// Package alliance is the heart: a person's course of ratings, what changed in
// it, and how far two raters are apart. It is pure: no clock, no file, no
// randomness.
//
// It must never average informants, read a missing rating as a number, or say
// more than "worth asking": a fall between two ratings is a weak sign of a
// rupture (doi 10.1037/ccp0000598). Start with Course (course.go), then
// Rule.Judge (rule.go), which is what pages show. Detector (fall.go) weighs a fall
// against a practice's own courses, PublishedRules (published.go) are what others
// do; package simulate sets them against each other.
package alliance
