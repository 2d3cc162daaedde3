// SPDX-License-Identifier: AGPL-3.0-or-later

// Package app has one exported method per use case on App: permit, validate,
// store in one transaction, audit. Pages, the command line and FHIR all come
// through here, so that a rule stands in one place.
//
// It must never write SQL, render a page or keep truth in memory. It reaches the
// database through the small interfaces declared beside the use cases. Start
// with App (app.go) and RecordRating (rating.go).
package app
