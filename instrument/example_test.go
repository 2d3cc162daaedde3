// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"fmt"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

func ExampleInstrument_Score() {
	form, _ := library.Get("session-client-adult")
	answers := instrument.Answers{"bond1": 9, "bond2": 8, "tasks1": 4, "tasks2": 5, "goals1": 6, "tension": 1}
	if err := form.Check(answers); err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range form.Score(answers) {
		if s.OK {
			fmt.Printf("%s %.1f\n", s.Scale, s.Value)
		} else {
			fmt.Printf("%s: %d of %d answered\n", s.Scale, s.Answered, s.Of)
		}
	}
	// Output:
	// bond 8.5
	// tasks 4.5
	// goals: 1 of 2 answered
	// total 6.4
}
