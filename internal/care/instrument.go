// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// PracticeForm names one version of an instrument that a practice brought with
// its words.
type PracticeForm struct {
	Instrument string
	Version    int
}
