// SPDX-License-Identifier: AGPL-3.0-or-later

package psych_test

import (
	"fmt"
	"log"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/stats/psych"
)

// Six targets, each rated by the same four judges: table 2 of Shrout & Fleiss.
var ratings = mat.NewDense(6, 4, []float64{9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7})

func ExampleAlpha() {
	a, err := psych.Alpha(ratings, .95)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("alpha %.2f [%.2f, %.2f]\n", a.Raw, a.CI[0], a.CI[1])
	// Output: alpha 0.91 [0.68, 0.99]
}

func ExampleICC() {
	r, err := psych.ICC(ratings, .95)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range r.Forms {
		fmt.Printf("%-5s %.2f\n", f.Type, f.ICC)
	}
	// Output:
	// ICC1  0.17
	// ICC2  0.29
	// ICC3  0.71
	// ICC1k 0.44
	// ICC2k 0.62
	// ICC3k 0.91
}

func ExampleKappa() {
	// Two raters say strain (1) or none (0) of 100 sessions.
	counts := mat.NewDense(2, 2, []float64{60, 5, 10, 25})
	k, err := psych.Kappa(counts, psych.Unweighted, .95)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("kappa %.2f, standard error %.2f\n", k.Kappa, k.SE)
	// Output: kappa 0.66, standard error 0.08
}

func ExampleReliableChange_Classify() {
	r, err := psych.NewReliableChange(7.7, .90)
	if err != nil {
		log.Fatal(err)
	}
	change, err := r.Classify(19, 8, 11, .90, true)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f points are reliable: %s\n", r.Criterion(.90), change)
	// Output: 5.7 points are reliable: recovered
}

// invented returns 200 persons' answers to six items of two factors, made without
// chance so that the output stands.
func invented() *psych.Table {
	t := &psych.Table{Names: []string{"b1", "b2", "b3", "t1", "t2", "t3"}, X: mat.NewDense(200, 6, nil)}
	for i := range 200 {
		x := float64(i)
		bond, task := math.Sin(x), .6*math.Sin(x)+.8*math.Cos(2.3*x)
		for j := range 6 {
			common := bond
			if j > 2 {
				common = task
			}
			t.X.Set(i, j, 4+common+.7*math.Sin(float64(7+3*j)*x*x))
		}
	}
	return t
}

func ExampleCFA() {
	m, err := psych.ParseModel(`
		bond =~ b1 + b2 + b3
		task =~ t1 + t2 + t3`)
	if err != nil {
		log.Fatal(err)
	}
	f, err := psych.CFA(m, invented(), psych.Options{Estimator: psych.MLR})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("converged:", f.Converged, "problems:", len(f.Problems))
	fmt.Printf("degrees of freedom %d, CFI above .9: %v\n", f.Indices.DF, f.Indices.Robust.CFI > .9)
	for _, p := range f.Parameters {
		if p.Op == "~~" && p.LHS == "bond" && p.RHS == "task" {
			fmt.Printf("correlation of the factors %.1f\n", p.StdAll)
		}
	}
	// Output:
	// converged: true problems: 0
	// degrees of freedom 8, CFI above .9: true
	// correlation of the factors 0.7
}

func ExampleParseModel() {
	m, err := psych.ParseModel("bond =~ b1 + b2 + b3; b1 ~~ b2")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(m)
	// Output:
	// bond =~ b1
	// bond =~ b2
	// bond =~ b3
	// b1 ~~ b2
}

func ExampleResponseSurface() {
	// Where client and therapist agree the outcome is best: z = -(x-y)^2.
	var x, y, z []float64
	for i := -2.0; i <= 2; i++ {
		for j := -2.0; j <= 2; j++ {
			x, y, z = append(x, i), append(y, j), append(z, -(i-j)*(i-j)+.01*math.Sin(5*i+j))
		}
	}
	s, err := psych.ResponseSurface(x, y, z, .95)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("curve along incongruence %.1f\n", s.A[3].Estimate)
	// Output: curve along incongruence -4.0
}
