// SPDX-License-Identifier: AGPL-3.0-or-later

// Package simulate draws courses of ratings and sets rules for a fall against each
// other: each is tuned to the same chance of any false alarm in a whole course
// without a fall, and then asked how often it notices one within one and within
// two sessions.
//
// Everything is drawn from a seed: the same seed gives the same table.
package simulate
