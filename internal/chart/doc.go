// SPDX-License-Identifier: AGPL-3.0-or-later

// Package chart draws the product's pictures as accessible SVG on the server, so
// that they print, travel and are read aloud without a script.
//
// It must never know where numbers come from, put a style attribute into a page
// (the content security policy forbids it), or tell series apart by colour
// alone. Start with Course (course.go).
package chart
