// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// answersOf makes a table of the bytes: answers of a few levels, some missing, or
// numbers of many sizes.
func answersOf(raw []byte, kind byte) *mat.Dense {
	p := 2 + int(kind)%3
	n := min(len(raw)/p, 40)
	if n == 0 {
		return nil
	}
	x := mat.NewDense(n, p, nil)
	for i := range n * p {
		v := float64(raw[i] % 5)
		switch {
		case raw[i] == 255:
			v = math.NaN()
		case kind >= 200:
			v = float64(raw[i]) * math.Pow(10, float64(int(raw[i])%7)*float64(int(kind)-227))
		}
		x.Set(i/p, i%p, v)
	}
	return x
}

// noNaN fails if a result holds what is no number: JSON cannot, and says so.
func noNaN(t *testing.T, what string, v any) {
	t.Helper()
	if _, err := json.Marshal(v); err != nil && strings.Contains(err.Error(), "unsupported value") {
		t.Fatalf("%s: %v: %+v", what, err, v)
	}
}

// FuzzScales: whatever the answers, each model of items ends in an error or in
// numbers throughout.
func FuzzScales(f *testing.F) {
	even := make([]byte, 60)
	for i := range even {
		even[i] = byte((i*i + i/3) % 5)
	}
	for kind := range byte(3) {
		f.Add(even, kind)
	}
	f.Add([]byte{1, 1, 1, 1, 1, 1, 1, 1}, byte(0))
	f.Add([]byte{0, 4, 0, 4, 0, 4, 4, 0, 4, 0}, byte(0))
	f.Add([]byte{1, 255, 3, 2, 255, 1, 0, 1, 2, 255, 255, 255}, byte(1))
	f.Add(even, byte(200))
	f.Add(even, byte(227))
	f.Add(even, byte(255))
	f.Fuzz(func(t *testing.T, raw []byte, kind byte) {
		x := answersOf(raw, kind)
		if x == nil {
			return
		}
		if r, err := Alpha(x, .95); err == nil {
			noNaN(t, "alpha", r)
		}
		if r, err := ICC(x, .95); err == nil {
			noNaN(t, "ICC", r)
		}
		if r, err := Polychoric(x); err == nil {
			noNaN(t, "polychoric", []any{r.N, r.Thresholds, rowMajor(r.Rho)})
		}
		if kind < 200 {
			if r, err := GradedResponse(x, GradedOptions{Points: 21, MaxIterations: 40, EqualA: kind%2 == 1}); err == nil {
				noNaN(t, "graded response", []any{r.Items, r.LogL, r.AIC, r.BIC, r.Reliability()})
			}
		}
	})
}

// FuzzCFA fits a factor to whatever numbers there are, by each estimator.
func FuzzCFA(f *testing.F) {
	even := make([]byte, 80)
	for i := range even {
		even[i] = byte((i*i + i/3) % 5)
	}
	for kind := range byte(5) {
		f.Add(even, kind)
	}
	f.Add(even, byte(229))
	f.Add([]byte{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 1, 1, 1, 1, 4, 4, 4, 4}, byte(2))
	f.Fuzz(func(t *testing.T, raw []byte, kind byte) {
		x := answersOf(raw, kind)
		if x == nil {
			return
		}
		_, p := x.Dims()
		d := &Table{X: x}
		for j := range p {
			d.Names = append(d.Names, fmt.Sprintf("x%d", j))
		}
		m, err := ParseModel("f =~ " + strings.Join(d.Names, " + "))
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Estimator: []Estimator{ML, MLR, MLM, WLSMV, DWLS, ML}[kind%6], MaxIterations: 60}
		if kind%6 == 5 {
			o.Missing = FIML
		}
		r, err := CFA(m, d, o)
		if err != nil {
			return
		}
		noNaN(t, "factor model", []any{r.Indices, r.Parameters, r.Vcov != nil, r.Implied[0].Mean})
	})
}

// FuzzDyads: the actor-partner model and truth and bias, with outcomes missing.
func FuzzDyads(f *testing.F) {
	even := make([]byte, 64)
	for i := range even {
		even[i] = byte((i*i*7 + i/3) % 200)
	}
	for kind := range byte(8) {
		f.Add(even, kind)
	}
	f.Add([]byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, byte(1))
	f.Fuzz(func(t *testing.T, raw []byte, kind byte) {
		value := func(b byte) float64 {
			if b > 240 {
				return math.NaN()
			}
			return float64(b) / 16
		}
		var ds []Dyad
		var judgment, truth []float64
		var who []string
		for i := 0; i+4 <= len(raw) && len(ds) < 20; i += 4 {
			ds = append(ds, Dyad{Outcome: [2]float64{value(raw[i]), value(raw[i+1])}, Predictors: [2][]float64{{value(raw[i+2])}, {value(raw[i+3])}}})
			for k := range 2 {
				judgment, truth, who = append(judgment, value(raw[i+k])), append(truth, value(raw[i+2+k])), append(who, fmt.Sprint(i/(4+4*int(kind%4))))
			}
		}
		o := APIMOptions{Roles: kind&1 > 0, REML: kind&2 > 0}
		o.EqualEffects, o.EqualVariances = o.Roles && kind&4 > 0, o.Roles && kind&8 > 0
		if r, err := APIM(ds, []string{"x"}, o); err == nil {
			noNaN(t, "actor-partner model", []any{r.Coefficients, r.Roles, r.SD, r.Rho, r.LogL, r.AIC, r.Tests})
		}
		if r, err := TruthBiasSessions(judgment, truth, who, .95); err == nil {
			noNaN(t, "truth and bias", []any{r.DirectionalBias, r.Truth, r.BiasSD, r.TruthSD, r.Rho, r.Sigma})
		}
	})
}
