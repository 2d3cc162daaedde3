// SPDX-License-Identifier: AGPL-3.0-or-later

package outcome_test

import (
	"math"
	"os"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/entente-project/entente/outcome"
	"github.com/entente-project/entente/stats"
)

var nan = math.NaN()

// courses are the 43 of testdata, sessions 1 to 12.
func courses(t testing.TB) (out [][]float64) {
	t.Helper()
	file, err := os.Open("testdata/suddengains_sgdata_wide.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	f, err := stats.ReadCSV(file, stats.CSVOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out = make([][]float64, f.Rows())
	for _, name := range []string{"bdi_s1", "bdi_s2", "bdi_s3", "bdi_s4", "bdi_s5", "bdi_s6", "bdi_s7", "bdi_s8", "bdi_s9", "bdi_s10", "bdi_s11", "bdi_s12"} {
		c, err := f.Column(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			v, ok := c.Float(i)
			if !ok {
				v = nan
			}
			out[i] = append(out[i], v)
		}
	}
	return out
}

var bdi = outcome.SuddenRule{Points: 7, Share: outcome.SuddenShare}

// TestSuddenPublished holds what the package's tutorial prints of these courses.
func TestSuddenPublished(t *testing.T) {
	t.Parallel()
	var all, first []float64
	reversed, firstReversed, several, intervals := 0, 0, 0, 0
	for _, y := range courses(t) {
		n := 0
		for _, s := range bdi.Find(y) {
			if s.Loss {
				continue
			}
			if s.Reversed > 0 {
				reversed++
			}
			if n++; n == 1 {
				first = append(first, s.Points)
				if s.Reversed > 0 {
					firstReversed++
				}
			}
			all = append(all, s.Points)
		}
		if n > 1 {
			several++
		}
		intervals += outcome.Intervals(y)
	}
	if len(all) != 24 || len(first) != 15 || several != 8 || reversed != 4 || firstReversed != 3 || intervals != 298 {
		t.Errorf("gains %d in %d people, %d with several, reversed %d and %d, intervals %d; published 24, 15, 8, 4, 3, 298", len(all), len(first), several, reversed, firstReversed, intervals)
	}
	for _, x := range []struct {
		name string
		v    []float64
		m, s float64
	}{{"all", all, 11, 3.43}, {"first", first, 11.4, 3.98}} {
		if m, s := stat.MeanStdDev(x.v, nil); math.Abs(m-x.m) > .005 || math.Abs(s-x.s) > .005 {
			t.Errorf("%s: mean %.3f, SD %.3f; published %.2f, %.2f", x.name, m, s, x.m, x.s)
		}
	}
	var five []outcome.Sudden
	for _, s := range bdi.Find(courses(t)[4]) {
		if !s.Loss {
			five = append(five, s)
		}
	}
	if len(five) != 2 || five[0].From != 3 || five[1].From != 8 || five[1].Points <= five[0].Points {
		t.Errorf("person 5: %v; published a gain after session 3 and the largest after session 8", five)
	}
}

// TestSuddenVector is that of the package's help, and its mirror as a loss.
func TestSuddenVector(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		rule   outcome.SuddenRule
		scores []float64
		want   []outcome.Sudden
	}{
		"gain":                     {bdi, []float64{32, 31, 33, 5, 6, 7}, []outcome.Sudden{{From: 3, To: 4, Points: 28}}},
		"gain with gaps":           {bdi, []float64{nan, 31, 33, 5, nan, 7}, []outcome.Sudden{{From: 3, To: 4, Points: 28}}},
		"loss":                     {bdi, []float64{5, nan, 7, 16, 12, 14}, []outcome.Sudden{{From: 3, To: 4, Points: 9, Loss: true}}},
		"better upwards":           {outcome.SuddenRule{HigherIsBetter: true, Points: 2}, []float64{3, 3.2, 3.1, 6, 6.1, 5.9}, []outcome.Sudden{{From: 3, To: 4, Points: 6 - 3.1}}},
		"reversed":                 {bdi, []float64{32, 31, 33, 5, 6, 7, 30}, []outcome.Sudden{{From: 3, To: 4, Points: 28, Reversed: 7}}},
		"nothing varies":           {bdi, []float64{30, 30, 20, 20}, []outcome.Sudden{{From: 2, To: 3, Points: 10}}},
		"six points":               {bdi, []float64{20, 20, 14, 14}, nil},
		"a loss under a quarter":   {bdi, []float64{40, 40, 48, 48}, nil},
		"a gain under a quarter":   {bdi, []float64{48, 48, 40, 40}, nil},
		"one score after":          {bdi, []float64{32, 31, 33, 5}, nil},
		"session before not rated": {bdi, []float64{32, 31, nan, 5, 6, 7}, nil},
		"unstable":                 {bdi, []float64{10, 31, 33, 25, 6, 30}, nil},
		"none":                     {bdi, nil, nil},
		"infinite":                 {bdi, []float64{math.Inf(1), 3, math.Inf(-1), 5, nan}, nil},
	} {
		if got := x.rule.Find(x.scores); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: %+v, want %+v", name, got, x.want)
		}
	}
}

// TestSuddenMirror turns a scale round: gains stay gains.
func TestSuddenMirror(t *testing.T) {
	t.Parallel()
	down, up := outcome.SuddenRule{Points: 7}, outcome.SuddenRule{Points: 7, HigherIsBetter: true}
	found := 0
	for _, y := range courses(t) {
		turned := make([]float64, len(y))
		for i, v := range y {
			turned[i] = 63 - v
		}
		a, b := down.Find(y), up.Find(turned)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%v: %v, turned round %v", y, a, b)
		}
		found += len(a)
	}
	if found == 0 {
		t.Error("nothing found: this test looks at nothing")
	}
}
