// SPDX-License-Identifier: AGPL-3.0-or-later

package web

// guess runs what opens something by a secret, as often as the caller's address may.
func (c *call) guess(try func() error) error {
	return c.app().Guess(c.r.Context(), c.s.address(c.r), try)
}
