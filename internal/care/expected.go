// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// ExpectedResponse is what a practice's ended episodes say of one scale, as it was
// last worked out. Body holds figures over all of them, none of a person.
type ExpectedResponse struct {
	Practice          ID
	Instrument, Scale string
	MadeMillis        int64
	Body              []byte
}

// EndedEpisode is an episode that goes on no more, with one of its clients.
type EndedEpisode struct{ Episode, Client ID }
