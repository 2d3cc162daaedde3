// SPDX-License-Identifier: AGPL-3.0-or-later

// Package figure draws the pictures of statistics for print: forest, funnel,
// influence, caterpillar, spaghetti and path diagrams, dark on white, as SVG and
// as PNG. internal/chart draws what a person sees on a page; this package draws
// what stands in an article.
//
// It must never compute a statistic: it is given every number that it shows. It
// must never tell groups apart by colour alone.
//
// Start with Canvas (canvas.go), then Forest (forest.go).
package figure
