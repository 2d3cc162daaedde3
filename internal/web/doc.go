// SPDX-License-Identifier: AGPL-3.0-or-later

// Package web renders the pages: one route table (routes.go), one handler file
// for each feature, typed view models, html/template and a few small scripts as
// progressive enhancement. Every form works without JavaScript.
//
// It must never import the store, decide a permission or keep truth. Start with
// routes.go, then call.go (what a handler is given).
package web
