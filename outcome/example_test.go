// SPDX-License-Identifier: AGPL-3.0-or-later

package outcome_test

import (
	"errors"
	"fmt"
	"math"

	"github.com/entente-project/entente/outcome"
)

// Five sessions of a ten-item scale of distress, the second not scored: of its
// published figures a change of 6 is reliable, and the clinical side begins at 11.
func ExampleFigures_Judge() {
	f := outcome.Figures{Change: 6, Cutoff: &outcome.Cutoff{Value: 11, Inclusive: true}}
	v := f.Judge([]float64{21, math.NaN(), 18, 12, 9}, nil)
	fmt.Println(v.State, v.First, "to", v.Now)
	// Output:
	// recovered 21 to 9
}

// A sudden gain, half of which was lost again three sessions later.
func ExampleSuddenRule_Find() {
	rule := outcome.SuddenRule{Points: 7, Share: outcome.SuddenShare}
	for _, s := range rule.Find([]float64{33, 32, 34, 20, 19, 21, 28}) {
		fmt.Printf("from session %d to %d: %.0f points, half lost by session %d\n", s.From, s.To, s.Points, s.Reversed)
	}
	// Output:
	// from session 3 to 4: 14 points, half lost by session 7
}

// Before there are 200 episodes nothing is expected of anybody.
func ExampleFitGrowth() {
	_, err := outcome.FitGrowth([][]float64{{20, 18, 15}, {25, 20}})
	var few *outcome.TooFewError
	fmt.Println(errors.As(err, &few), err)
	// Output:
	// true 2 episodes with two scores or more; an expected response needs 200
}
