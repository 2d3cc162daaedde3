// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance_test

import (
	"fmt"

	"github.com/entente-project/entente/alliance"
)

func ExampleWeighing_Judge() {
	goals := alliance.Series{Dimension: alliance.Goals, Informant: alliance.Client, Max: 10, HigherIsBetter: true}
	for i, v := range []float64{7, 8, 8, 4} {
		goals.Points = append(goals.Points, alliance.Point{Session: i + 1, Value: v, OK: true})
	}
	v := alliance.Usual().Judge(alliance.Course{Series: []alliance.Series{goals}})
	fmt.Println(v.Kind, v.Reasons[0].Dimension, v.Reasons[0].Figures.From, "to", v.Reasons[0].Figures.To)
	// Output: worth_asking_now goals 8 to 4
}

// The direct question counts on its own, from the first session on.
func ExampleWeighing_Judge_tension() {
	v := alliance.Usual().Judge(alliance.Course{Tension: []alliance.TensionPoint{{Session: 1, Answer: alliance.TensionYes}}})
	fmt.Println(v.Kind, v.Reasons[0].Code)
	// Output: worth_asking_now tension
}

// The therapist's form runs from 1 to 5, the client's from 0 to 10.
func ExampleGap() {
	client := alliance.Series{Dimension: alliance.Bond, Informant: alliance.Client, Max: 10, HigherIsBetter: true,
		Points: []alliance.Point{{Session: 1, Value: 6, OK: true}, {Session: 2}}}
	therapist := alliance.Series{Dimension: alliance.Bond, Informant: alliance.Therapist, Min: 1, Max: 5, HigherIsBetter: true,
		Points: []alliance.Point{{Session: 1, Value: 4, OK: true}, {Session: 2, Value: 4, OK: true}}}
	for _, g := range alliance.Gap(client, therapist) {
		fmt.Println(g.Session, g.Difference, g.OK)
	}
	// Output:
	// 1 1.5 true
	// 2 0 false
}

// CORE-10: SD 7.7 and reliability .90 give the reliable change of 6 whole points
// that its authors state.
func ExampleReliableChange() {
	fmt.Printf("%.2f\n", alliance.ReliableChange(1.645, alliance.SEM(7.7, .90)))
	// Output: 5.66
}
