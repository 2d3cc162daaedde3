// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

// formID is the form that both servers are sent.
const formID = "session-client-adult"

// comment is what every second client of a real form might add.
const comment = "I was glad that we came back to what I said last week."

// answers are to every question of the form, each within its range; they differ
// with n, and are the same for both servers and in every run.
func answers(n int) instrument.Answers {
	in, ok := library.Get(formID)
	if !ok {
		panic("the library has no " + formID)
	}
	out := instrument.Answers{}
	for k, it := range in.Items {
		if len(it.Options) > 0 {
			out[it.ID] = it.Options[(n+k)%2].Value
			continue
		}
		out[it.ID] = it.Min + float64((n*7+k*3)%(int(it.Max-it.Min)+1))
	}
	return out
}
