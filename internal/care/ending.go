// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// Ended reports whether the account was ended: it lets nobody in any more, and
// what its owner wrote stays theirs.
func (s Staff) Ended() bool { return s.EndedMillis != 0 }

// Treats is a client whom somebody treats, with the episode.
type Treats struct{ Episode, Client ID }
