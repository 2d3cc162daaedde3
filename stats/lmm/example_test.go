// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/lmm"
)

// sleep reads the reaction times of Belenky et al. (2003).
func sleep() *stats.Frame {
	file, err := os.Open("testdata/golden/lmm_01_sleepstudy_reml.csv")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	f, err := stats.ReadCSV(file, stats.CSVOptions{})
	if err != nil {
		log.Fatal(err)
	}
	return f
}

// A growth model: each person has a level and a slope of their own.
func ExampleFit() {
	m, err := lmm.Fit("Reaction ~ Days + (Days | Subject)", sleep(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("REML criterion %.3f, converged %v\n", m.Criterion, m.State.Converged)
	for _, c := range m.Components {
		fmt.Println(strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %.3f", c.Group, c.Var1, c.Var2, c.SDCor)), " "))
	}
	tests, err := m.Satterthwaite()
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range tests {
		fmt.Printf("%s %.3f (%.3f), t(%.1f) = %.2f\n", t.Name, t.Estimate, t.SE, t.DF, t.T)
	}
	// Output:
	// REML criterion 1743.628, converged true
	// Subject (Intercept) 24.740
	// Subject Days 5.922
	// Subject (Intercept) Days 0.066
	// Residual 25.592
	// (Intercept) 251.405 (6.825), t(17.0) = 36.84
	// Days 10.467 (1.546), t(17.0) = 6.77
}

// Does the slope differ between persons?
func ExampleCompare() {
	small, err := lmm.Fit("Reaction ~ Days + (1 | Subject)", sleep(), nil)
	if err != nil {
		log.Fatal(err)
	}
	large, err := lmm.Fit("Reaction ~ Days + (Days | Subject)", sleep(), nil)
	if err != nil {
		log.Fatal(err)
	}
	r, err := lmm.Compare(small, large)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("chi2(%d) = %.3f, p = %.2g\n%s\n", r.DF, r.Chi2, r.P, r.Note)
	// Output:
	// chi2(2) = 42.837, p = 5e-10
	// a variance of nought is on the edge of its range: the p value is too large
}

// What is to be expected of a known person, and of a new one?
func ExampleModel_Predict() {
	m, err := lmm.Fit("Reaction ~ Days + (Days | Subject)", sleep(), nil)
	if err != nil {
		log.Fatal(err)
	}
	next, err := stats.ReadCSV(strings.NewReader("Days,Subject\n10,308\n10,1000\n"), stats.CSVOptions{})
	if err != nil {
		log.Fatal(err)
	}
	ps, err := m.Predict(next, lmm.PredictOptions{Level: 0.8})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range ps {
		fmt.Printf("known %v: %.0f, 80%% of sessions between %.0f and %.0f\n", p.Known, p.Mean, p.NewLower, p.NewUpper)
	}
	// Output:
	// known true: 450, 80% of sessions between 412 and 489
	// known false: 356, 80% of sessions between 263 and 449
}

// Intervals by the profile of the likelihood.
func ExampleModel_Profile() {
	m, err := lmm.Fit("Reaction ~ Days + (Days | Subject)", sleep(), nil)
	if err != nil {
		log.Fatal(err)
	}
	intervals, err := m.Profile(context.Background(), 0.95)
	if err != nil {
		log.Fatal(err)
	}
	for _, i := range intervals {
		fmt.Printf("%s %.2f to %.2f\n", i.Name, i.Lower, i.Upper)
	}
	// Output:
	// sd_(Intercept)|Subject 14.38 to 37.72
	// cor_Days.(Intercept)|Subject -0.48 to 0.69
	// sd_Days|Subject 3.80 to 8.75
	// sigma 22.90 to 28.86
	// (Intercept) 237.68 to 265.13
	// Days 7.36 to 13.58
}
