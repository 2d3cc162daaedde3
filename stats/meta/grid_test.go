// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gridCase is one data set with what metafor makes of it under every estimator
// and test; testdata/reference/grid.R writes it. What metafor cannot do is
// not there.
type gridCase struct {
	Y, V      []float64
	X         [][]float64
	Intercept bool
	Fits      map[string]map[string]any
	QP, PL    map[string]map[string]any
	Infl      map[string]map[string]any
	Blup      map[string]any
	Egger     map[string]any `json:"egger_m"`
	EggerLM   map[string]any `json:"egger_l"`
	PEESE     map[string]any
	Begg      map[string]any
	TF        map[string]map[string]any
	FSN       map[string]any
	Cum, L1O  map[string]any
	Greater   map[string]any `json:"sel_greatera"`
	Less      map[string]any `json:"sel_lessa"`
	Greater2  map[string]any `json:"sel_greaterb"`
	Less2     map[string]any `json:"sel_lessb"`
}

func (c *gridCase) data() Data {
	d := Data{Y: c.Y, V: c.V, NoIntercept: !c.Intercept}
	for j, x := range c.X {
		d.Moderators = append(d.Moderators, Moderator{fmt.Sprintf("x%d", j+1), x})
	}
	return d
}

// gridReport keeps the largest difference of each quantity.
type gridReport struct {
	t     *testing.T
	worst map[string]float64
	count int
}

// leaves compares all that R says with what was computed, at the tolerance of
// optimised quantities; floor is the size below which a number is noise of the
// search.
func (g *gridReport) leaves(where string, got tree, want map[string]any, floor float64) {
	g.t.Helper()
	if want == nil {
		return
	}
	a, b := map[string]any{}, map[string]any{}
	flatten(a, "", got)
	flatten(b, "", any(want))
	for _, path := range slices.Sorted(maps.Keys(b)) {
		x, ok := a[path]
		if !ok {
			g.t.Errorf("%s%s is not computed, R says %v", where, path, b[path])
			continue
		}
		if x == nil && b[path] == nil {
			continue
		}
		d := difference(x, b[path])
		u, isU := x.(float64)
		v, isV := b[path].(float64)
		q := quantityOf(path)
		if q == "I2" {
			floor = 1e-7
		}
		if isU && isV && math.Abs(u-v) <= floor {
			d = 0
		}
		g.count++
		g.worst[q] = max(g.worst[q], d)
		if d > 1e-5 {
			g.t.Errorf("%s%s = %v, R says %v (%.1e)", where, path, x, b[path], d)
		}
	}
}

func (c *gridCase) floor() float64 { return 1e-10 * slices.Max(c.V) }

func TestGrid(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "reference", "grid*.json"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	if more := os.Getenv("ENTENTE_GRID"); more != "" {
		names = append(names, strings.Split(more, ",")...)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var cases map[string]json.RawMessage
		if err := json.Unmarshal(raw, &cases); err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			g := &gridReport{t: t, worst: map[string]float64{}}
			for _, id := range slices.Sorted(maps.Keys(cases)) {
				var c gridCase
				if err := json.Unmarshal(plain(cases[id]), &c); err != nil {
					t.Fatal(id, err)
				}
				g.fits(id, &c)
				g.heterogeneity(id, &c)
				g.influence(id, &c)
				g.bias(id, &c)
				g.selection(id, &c)
				g.series(id, &c)
			}
			for _, q := range slices.Sorted(maps.Keys(g.worst)) {
				t.Logf("largest relative difference %-10s %.1e", q, g.worst[q])
			}
			t.Logf("%d values of %d data sets compared", g.count, len(cases))
		})
	}
}

// plain turns R's empty lists into empty objects.
func plain(raw []byte) []byte {
	return []byte(strings.NewReplacer(`:[]`, `:null`, `: []`, `:null`, `"NaN"`, "null", `"Inf"`, "null", `"-Inf"`, "null").Replace(string(raw)))
}

func (g *gridReport) fits(id string, c *gridCase) {
	g.t.Helper()
	d := c.data()
	for _, key := range slices.Sorted(maps.Keys(c.Fits)) {
		method, test, _ := strings.Cut(key, " ")
		r, err := Fit(d, Options{Method: Method(method), Test: Test(test)})
		if err != nil {
			g.t.Errorf("%s %s: %v", id, key, err)
			continue
		}
		got := uni(r)
		if r.R2 != nil && *r.R2 == 0 {
			// R takes a variance of 1e-12 without moderators for heterogeneity.
			delete(c.Fits[key], "R2")
		}
		delete(got, "pi_lb")
		delete(got, "pi_ub")
		var pr, se, lo, hi, pl, pu []float64
		for i := range c.Y {
			p, err := r.Predict(d.row(i)[r.P-len(d.Moderators):], PredictAsTest)
			if err != nil {
				g.t.Errorf("%s %s: %v", id, key, err)
				break
			}
			pr, se = append(pr, p.Estimate), append(se, p.SE)
			lo, hi = append(lo, p.Lower), append(hi, p.Upper)
			pl, pu = append(pl, p.PILower), append(pu, p.PIUpper)
			if len(d.Moderators) == 0 {
				break
			}
		}
		got["pr"], got["pr_se"], got["pr_lb"], got["pr_ub"], got["pi_lb"], got["pi_ub"] = pr, se, lo, hi, pl, pu
		g.leaves(id+" "+key, got, c.Fits[key], c.floor())
	}
	if c.Blup != nil {
		r, err := Fit(d, Options{Test: KnappHartung})
		if err != nil {
			g.t.Errorf("%s blup: %v", id, err)
			return
		}
		var pr, se, lo, hi []float64
		for _, e := range r.StudyEffects() {
			pr, se, lo, hi = append(pr, e.Estimate), append(se, e.SE), append(lo, e.Lower), append(hi, e.Upper)
		}
		g.leaves(id+" blup", tree{"pred": pr, "se": se, "lb": lo, "ub": hi}, c.Blup, c.floor())
	}
}

func (g *gridReport) heterogeneity(id string, c *gridCase) {
	g.t.Helper()
	for method, want := range c.QP {
		r := must(Fit(c.data(), Options{Method: Method(method)}))
		h, err := r.QProfile()
		if err != nil {
			g.t.Errorf("%s QP: %v", id, err)
			continue
		}
		list := func(f func(Interval) float64) []float64 {
			return []float64{f(h.Tau2), f(h.Tau), f(h.I2), f(h.H2)}
		}
		got := tree{"est": list(func(i Interval) float64 { return i.Estimate }), "null": h.State == Empty,
			"lb": list(func(i Interval) float64 { return i.Lower }), "ub": list(func(i Interval) float64 { return i.Upper })}
		g.leaves(id+" QP "+method, got, want, 1e-6*math.Sqrt(slices.Max(c.V)))
	}
	for method, want := range c.PL {
		r := must(Fit(c.data(), Options{Method: Method(method)}))
		h, err := r.ProfileLikelihood()
		if err != nil {
			g.t.Errorf("%s PL: %v", id, err)
			continue
		}
		got := tree{"lb": []float64{h.Tau2.Lower, h.Tau.Lower, h.I2.Lower, h.H2.Lower}, "ub": []float64{h.Tau2.Upper, h.Tau.Upper, h.I2.Upper, h.H2.Upper}}
		g.leaves(id+" PL "+method, got, want, 1e-8*math.Sqrt(slices.Max(c.V)))
	}
}

func (g *gridReport) influence(id string, c *gridCase) {
	g.t.Helper()
	for key, want := range c.Infl {
		method, test, _ := strings.Cut(key, " ")
		rows, err := Influence(c.data(), Options{Method: Method(method), Test: Test(test)})
		if err != nil {
			g.t.Errorf("%s influence %s: %v", id, key, err)
			continue
		}
		got := map[string][]any{}
		dfbs := map[string]any{}
		names, _ := want["dfbs"].(map[string]any)
		delete(names, "slab")
		delete(names, "digits")
		order := slices.Sorted(maps.Keys(names))
		for _, row := range rows {
			for name, x := range map[string]any{"rstudent": row.RStudent, "dffits": row.DFFITS, "cook.d": row.CookD, "cov.r": row.CovRatio,
				"tau2.del": row.Tau2, "QE.del": row.QE, "hat": row.Hat, "weight": row.Weight, "is": row.Influential, "bx": row.BaujatX, "by": row.BaujatY} {
				if !row.Defined && name != "hat" && name != "weight" {
					x = nil
				}
				got[name] = append(got[name], x)
			}
			for j, name := range order {
				var x any
				if row.Defined {
					x = row.DFBetas[j]
				}
				list, _ := dfbs[name].([]any)
				dfbs[name] = append(list, x)
			}
		}
		all := tree{"dfbs": dfbs}
		for name, list := range got {
			all[name] = list
		}
		g.leaves(id+" influence "+key, all, want, c.floor())
	}
}

func regression(r RegressionTest) tree {
	return tree{"z": r.Slope.Stat, "p": r.Slope.P, "est": r.Limit.Estimate, "lb": r.Limit.Lower, "ub": r.Limit.Upper}
}

func (g *gridReport) bias(id string, c *gridCase) {
	g.t.Helper()
	d := c.data()
	check := func(name string, want map[string]any, f func() (tree, error)) {
		if want == nil {
			return
		}
		got, err := f()
		var bad *DataError
		if errors.As(err, &bad) && slices.Min(c.V) == slices.Max(c.V) {
			return // R drops the column, or says NA
		}
		if err != nil {
			g.t.Errorf("%s %s: %v; R says %v", id, name, err, want)
			return
		}
		g.leaves(id+" "+name, got, want, c.floor())
	}
	check("egger mixed", c.Egger, func() (tree, error) { r, err := EggerMixed(d, Options{}); return regression(r), err })
	check("egger", c.EggerLM, func() (tree, error) { r, err := Egger(d); return regression(r), err })
	check("peese", c.PEESE, func() (tree, error) {
		r, err := PEESE(d)
		if err != nil {
			return nil, err
		}
		co := r.Fit.Coefficients
		return tree{"b": pick(co, estimateOf), "se": pick(co, seOf), "t": pick(co, statOf), "p": pick(co, pOf)}, nil
	})
	check("begg", c.Begg, func() (tree, error) { r, err := Begg(d); return tree{"tau": r.Tau, "p": r.P}, err })
	for _, key := range slices.Sorted(maps.Keys(c.TF)) {
		f := strings.Fields(key)
		if f[0] == "REML" { // trimfill refits to three digits
			delete(c.TF[key], "b")
			delete(c.TF[key], "s")
			delete(c.TF[key], "tau2")
			delete(c.TF[key], "se")
		}
		if len(c.Y) == 3 { // with one study left, rounding puts it on a side in R
			delete(c.TF[key], "se")
		}
		check("trimfill "+key, c.TF[key], func() (tree, error) {
			side := Side(f[2])
			if side == "auto" {
				side = ""
			}
			r, err := TrimFill(d, Options{Method: Method(f[0])}, TrimEstimator(f[1]), side)
			if err != nil {
				return nil, err
			}
			co := r.Fit.Coefficients[0]
			return tree{"k0": r.K0, "se": r.SEK0, "side": string(r.Side), "b": co.Estimate, "s": co.SE, "tau2": r.Fit.Tau2}, nil
		})
	}
	for key, kind := range map[string]FailsafeKind{"ros": Rosenthal, "orw": Orwin, "ros2": Rosenberg} {
		if c.FSN[key] != nil {
			n, err := Failsafe(d, kind, 0, 0)
			if err != nil {
				g.t.Errorf("%s failsafe: %v", id, err)
			}
			g.leaves(id+" failsafe", tree{key: n}, map[string]any{key: c.FSN[key]}, 0)
		}
	}
}

func (g *gridReport) selection(id string, c *gridCase) {
	g.t.Helper()
	for _, x := range []struct {
		want map[string]any
		o    SelectOptions
	}{{c.Greater, SelectOptions{}}, {c.Less, SelectOptions{Less: true}},
		{c.Greater2, SelectOptions{Steps: []float64{0.05, 0.5}}}, {c.Less2, SelectOptions{Steps: []float64{0.05, 0.5}, Less: true}}} {
		if x.want == nil {
			continue
		}
		r, err := Select(c.data(), x.o)
		if err != nil {
			g.t.Logf("%s selection %v: %v; R says %v", id, x.o, err, x.want)
			continue
		}
		ll, _ := x.want["ll"].(float64)
		if r.LogLik > ll+1e-7 {
			g.t.Logf("%s selection %v: R stops early, at a log-likelihood of %v instead of %v", id, x.o, ll, r.LogLik)
			continue
		}
		var delta, se []any
		for _, w := range r.Weights {
			delta = append(delta, w.Delta)
			if w.SE != nil {
				se = append(se, *w.SE)
			} else {
				se = append(se, nil)
			}
		}
		got := tree{"b": pick(r.Coefficients, estimateOf), "se": pick(r.Coefficients, seOf), "tau2": r.Tau2, "se_tau2": r.Tau2SE,
			"delta": delta, "se_delta": se, "ll": r.LogLik, "lrt": r.Test.Stat, "lrtp": r.Test.P}
		g.leaves(fmt.Sprintf("%s selection %v", id, x.o), got, x.want, 1e-5)
	}
}

func (g *gridReport) series(id string, c *gridCase) {
	g.t.Helper()
	column := func(rs []*Result, f func(*Result) float64) (out []float64) {
		for _, r := range rs {
			out = append(out, f(r))
		}
		return out
	}
	if c.Cum != nil {
		rs := must(Cumulative(c.data(), Options{}, nil))
		got := tree{"est": column(rs, func(r *Result) float64 { return r.Coefficients[0].Estimate }), "se": column(rs, func(r *Result) float64 { return r.Coefficients[0].SE }),
			"tau2": column(rs, func(r *Result) float64 { return r.Tau2 }), "I2": column(rs, func(r *Result) float64 { return r.I2 }),
			"H2": column(rs, func(r *Result) float64 { return r.H2 }), "Q": column(rs, func(r *Result) float64 { return r.QE.Stat })}
		g.leaves(id+" cumulative", got, c.Cum, 1e-5*slices.Max(c.V))
	}
	if c.L1O != nil {
		rs := must(LeaveOneOut(c.data(), Options{Method: DL, Test: KnappHartung}))
		got := tree{"est": column(rs, func(r *Result) float64 { return r.Coefficients[0].Estimate }), "se": column(rs, func(r *Result) float64 { return r.Coefficients[0].SE }),
			"lb": column(rs, func(r *Result) float64 { return r.Coefficients[0].Lower }), "ub": column(rs, func(r *Result) float64 { return r.Coefficients[0].Upper }),
			"tau2": column(rs, func(r *Result) float64 { return r.Tau2 }), "Q": column(rs, func(r *Result) float64 { return r.QE.Stat })}
		g.leaves(id+" leave one out", got, c.L1O, c.floor())
	}
}
