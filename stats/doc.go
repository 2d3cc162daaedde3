// SPDX-License-Identifier: AGPL-3.0-or-later

// Package stats holds what the statistical packages below it share.
package stats
