// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// allFinite fails when a result holds a NaN or an infinity anywhere.
func allFinite(t testing.TB, what string, result any) {
	t.Helper()
	walkFloats(reflect.ValueOf(result), "", func(path string, x float64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			t.Errorf("%s: %s is %v", what, path, x)
		}
	})
}

func walkFloats(v reflect.Value, path string, f func(string, float64)) {
	switch v.Kind() {
	case reflect.Float64:
		f(path, v.Float())
	case reflect.Pointer:
		if !v.IsNil() {
			walkFloats(v.Elem(), path, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkFloats(v.Index(i), fmt.Sprintf("%s[%d]", path, i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				walkFloats(v.Field(i), path+"."+field.Name, f)
			}
		}
	default:
	}
}

func TestBadDataIsNamed(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	y, v := []float64{1, 2, 3, 4}, []float64{.1, .2, .3, .4}
	column := func(name string, x ...float64) []Moderator { return []Moderator{{name, x}} }
	for _, c := range []struct {
		name string
		d    Data
		want string
	}{
		{"nothing", Data{}, "there are no studies"},
		{"lengths", Data{Y: y, V: v[:3]}, "variance: 3 values for 4 effect sizes"},
		{"NaN", Data{Y: []float64{1, nan}, V: v[:2]}, "row 2, effect size: is not a finite number"},
		{"infinity", Data{Y: []float64{inf, 1}, V: v[:2]}, "row 1, effect size: is not a finite number"},
		{"huge", Data{Y: []float64{1e200, 1}, V: v[:2]}, "row 1, effect size: is too large to square"},
		{"NaN variance", Data{Y: y[:2], V: []float64{nan, 1}}, "row 1, variance: is not a finite number"},
		{"negative", Data{Y: y[:2], V: []float64{1, -1}}, "row 2, variance: is negative"},
		{"zero", Data{Y: y[:2], V: []float64{1, 0}}, "row 2, variance: is zero, so this study alone would decide"},
		{"apart", Data{Y: y[:2], V: []float64{1e-300, 1}}, "row 1, variance: 1e-300 is less than 1e-10 of the largest, 1: no stable result is possible"},
		{"far", Data{Y: []float64{1e120, 1}, V: []float64{1e-5, 1e-5}}, "row 1, effect size: is more than 1e60 standard errors from zero"},
		{"too few", Data{Y: y[:1], V: v[:1], Moderators: column("x", 1)}, "1 studies cannot determine 2 coefficients"},
		{"constant", Data{Y: y, V: v, Moderators: column("x", 5, 5, 5, 5)}, "x: does not vary"},
		{"zeros", Data{Y: y, V: v, NoIntercept: true, Moderators: column("x", 0, 0, 0, 0)}, "x: is a linear combination of the columns before it"},
		{"collinear", Data{Y: y, V: v, Moderators: append(column("a", 1, 2, 3, 5), column("b", 3, 5, 7, 11)...)}, "b: is a linear combination of the columns before it"},
		{"no columns", Data{Y: y, V: v, NoIntercept: true}, "a model needs an intercept or a moderator"},
		{"short column", Data{Y: y, V: v, Moderators: column("x", 1)}, "x: 1 values for 4 effect sizes"},
		{"NaN moderator", Data{Y: y, V: v, Moderators: column("x", 1, 2, nan, 3)}, "row 3, x: is not a finite number"},
	} {
		_, err := Fit(c.d, Options{})
		var bad *DataError
		if !errors.As(err, &bad) || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if _, err := FitMultilevel(MultilevelData{Data: c.d, Levels: []Level{{Name: "g", Group: make([]string, len(c.d.Y))}}}, Options{}); err == nil {
			t.Errorf("%s: the multilevel model has no complaint", c.name)
		}
	}
	for _, o := range []Options{{Method: "XX"}, {Test: "xx"}, {Level: 2}, {Level: -1}, {Tau2: &nan}} {
		if _, err := Fit(Data{Y: y, V: v}, o); err == nil {
			t.Errorf("%+v: no complaint", o)
		}
	}
}

func TestExtremeDataGiveFiniteResults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		d     Data
		state State // of REML
	}{
		{"one study", Data{Y: []float64{.5}, V: []float64{.1}}, Saturated},
		{"two studies", Data{Y: []float64{.5, 1}, V: []float64{.1, .1}}, Converged},
		{"all equal", Data{Y: []float64{1, 1, 1}, V: []float64{.1, .2, .3}}, Boundary},
		{"all zero", Data{Y: []float64{0, 0, 0}, V: []float64{.1, .2, .3}}, Boundary},
		{"tiny variances", Data{Y: []float64{1e-150, 2e-150, 4e-150}, V: []float64{1e-300, 2e-300, 1e-300}}, Converged},
		{"large variances", Data{Y: []float64{1, 2, 3}, V: []float64{1e200, 1e201, 1e199}}, Boundary},
		{"far apart", Data{Y: []float64{1, 2, 3}, V: []float64{1e-9, 1, 1}}, Converged},
		{"wide outcomes", Data{Y: []float64{-1e50, 1e50, 3}, V: []float64{1, 1, 2}}, Converged},
		{"as many as coefficients", Data{Y: []float64{1, 2}, V: []float64{.1, .2}, Moderators: []Moderator{{"x", []float64{1, 2}}}}, Saturated},
		{"years", Data{Y: []float64{1, 2, 3, 2.5, 1}, V: []float64{.1, .2, .1, .2, .3}, Moderators: []Moderator{{"year", []float64{1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 5, 1e9 + 8}}}}, Converged},
	} {
		for _, m := range Methods() {
			for _, test := range []Test{Z, T, KnappHartung, KnappHartungTruncated} {
				name := fmt.Sprint(c.name, " ", m, " ", test)
				r, err := Fit(c.d, Options{Method: m, Test: test})
				if strings.HasPrefix(c.name, "all ") && test == KnappHartung {
					if err == nil {
						t.Errorf("%s: standard errors of zero without a complaint", name)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if m == REML && r.State != c.state {
					t.Errorf("%s: %s, want %s", name, r.State, c.state)
				}
				allFinite(t, name, r)
				if r.K > r.P {
					allFinite(t, name, must(r.QProfile()))
				}
				if len(c.d.Moderators) == 0 {
					allFinite(t, name, must(r.Predict(nil, PredictAsTest)))
				}
			}
		}
	}
}

func TestLevelsThatCannotBeTold(t *testing.T) {
	t.Parallel()
	y, v := []float64{1, 2, 3, 2, 5, 1}, []float64{.1, .2, .3, .4, .1, .2}
	one, pairs, each := []string{"a", "a", "a", "a", "a", "a"}, []string{"a", "a", "b", "b", "c", "c"}, []string{"1", "2", "3", "4", "5", "6"}
	level := func(name string, group []string) Level { return Level{Name: name, Group: group} }
	negative, given := -1.0, 0.5
	for _, c := range []struct {
		name   string
		levels []Level
		with   *Correlated
		want   string
	}{
		{"none", nil, nil, "0 levels of grouping"},
		{"one group", []Level{level("g", one)}, nil, "g: has a single group"},
		{"twins", []Level{level("g", pairs), level("h", one)}, nil, "h: has the same groups as g"},
		{"twins of rows", []Level{level("g", each), level("h", each)}, nil, "h: has the same groups as g"},
		{"length", []Level{level("g", pairs[:2])}, nil, "g: 2 labels for 6 effect sizes"},
		{"no label", []Level{level("g", []string{"a", "", "b", "b", "c", "c"})}, nil, "row 2, g: has no label"},
		{"given", []Level{{"g", pairs, &negative}}, nil, "g: a variance of -1 cannot be given"},
		{"rho", []Level{level("g", pairs)}, &Correlated{Within: "g", Rho: 1}, "rho: is 1, which is not a correlation below 1"},
		{"negative rho", []Level{{"g", one, &given}, level("h", pairs)}, &Correlated{Within: "g", Rho: -0.5}, "rho: is -0.5, which 6 effects of one group cannot all have"},
		{"no such level", []Level{level("g", pairs)}, &Correlated{Within: "x", Rho: .5}, "x: is not one of the levels"},
		{"indefinite", []Level{level("g", pairs)}, &Correlated{Within: "g", Covariance: func(int, int) float64 { return 9 }}, "row 1, covariance: of its group is not positive definite"},
		{"NaN", []Level{level("g", pairs)}, &Correlated{Within: "g", Covariance: func(int, int) float64 { return math.NaN() }}, "row 2, covariance: with row 1 is not a finite number"},
		{"level inside", []Level{{"g", one, &given}, level("h", pairs)}, &Correlated{Within: "g", Covariance: func(int, int) float64 { return 0 }}, "h: groups rows inside g"},
	} {
		_, err := FitMultilevel(MultilevelData{Data: Data{Y: y, V: v}, Levels: c.levels, Correlated: c.with}, Options{})
		var bad *DataError
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	d := MultilevelData{Data: Data{Y: y, V: v}, Levels: []Level{level("g", pairs), level("row", each)}}
	for _, o := range []Options{{Method: DL}, {Test: KnappHartung}, {Tau2: &given}} {
		if _, err := FitMultilevel(d, o); err == nil {
			t.Errorf("%+v: no complaint", o)
		}
	}
	m := must(FitMultilevel(d, Options{}))
	for _, clusters := range [][]string{one, each, pairs[:2], {"", "a", "a", "a", "b", "b"}} {
		if _, err := m.Robust(clusters, CR2); err == nil {
			t.Errorf("clusters %v: no complaint", clusters)
		}
	}
	d.Y = []float64{1, 1, 1, 1, 1, 1}
	equal := must(FitMultilevel(d, Options{}))
	if equal.State != Boundary {
		t.Errorf("all effects equal: %s, want the boundary", equal.State)
	}
	allFinite(t, "all effects equal", equal)
	if _, err := equal.Robust(pairs, CR2); err == nil {
		t.Error("residuals of zero make a robust standard error of zero, without a complaint")
	}
}

func TestTooLittleForTheTests(t *testing.T) {
	t.Parallel()
	two := Data{Y: []float64{1, 2}, V: []float64{.1, .2}}
	same := Data{Y: []float64{1, 2, 3, 5}, V: []float64{.1, .1, .1, .1}}
	for name, f := range map[string]func() error{
		"Egger of two":              func() error { _, err := Egger(two); return err },
		"Egger, all as precise":     func() error { _, err := Egger(same); return err },
		"Begg of two":               func() error { _, err := Begg(two); return err },
		"Begg, all as precise":      func() error { _, err := Begg(same); return err },
		"trim and fill of two":      func() error { _, err := TrimFill(two, Options{}, L0, Left); return err },
		"trim and fill, no side":    func() error { _, err := TrimFill(same, Options{}, L0, ""); return err },
		"trim and fill, wrong side": func() error { _, err := TrimFill(same, Options{}, L0, "up"); return err },
		"trim and fill, unknown":    func() error { _, err := TrimFill(same, Options{}, "X", Left); return err },
		"selection of two":          func() error { _, err := Select(two, SelectOptions{}); return err },
		"selection, empty interval": func() error { _, err := Select(same, SelectOptions{}); return err },
		"selection, steps":          func() error { _, err := Select(same, SelectOptions{Steps: []float64{.5, .1}}); return err },
		"influence of one":          func() error { _, err := Influence(Data{Y: []float64{1}, V: []float64{1}}, Options{}); return err },
		"leave one of nothing out":  func() error { _, err := LeaveOneOut(Data{}, Options{}); return err },
		"cumulative of nothing":     func() error { _, err := Cumulative(Data{}, Options{}, nil); return err },
		"subgroups without labels":  func() error { _, err := FitSubgroups(two, nil, Options{}); return err },
		"fail-safe of another kind": func() error { _, err := Failsafe(two, "X", 0, 0); return err },
		"prediction of two":         func() error { _, err := must(Fit(two, Options{})).Predict(nil, PredictHTS); return err },
		"likelihood interval of DL": func() error { _, err := must(Fit(same, Options{Method: DL})).ProfileLikelihood(); return err },
		"estimator of another name": func() error { _, err := ParseMethod("XX"); return err },
		"correlation of 1":          func() error { _, err := FisherZ(1, 10); return err },
		"three pairs":               func() error { _, err := FisherZ(.5, 3); return err },
		"correlation of 2":          func() error { _, err := Correlation(2, 10); return err },
		"group without members":     func() error { _, err := LogOddsRatio(Table{0, 0, 1, 2}); return err },
		"negative count":            func() error { _, err := LogRiskRatio(Table{-1, 0, 1, 2}); return err },
		"no spread":                 func() error { _, err := MeanDifference(Arm{10, 1, 0}, Arm{10, 1, 1}); return err },
		"chi2 beyond n":             func() error { _, err := RFromChi2(11, 10); return err },
		"p of zero":                 func() error { _, err := DFromP(0, 10, 10); return err },
	} {
		if f() == nil {
			t.Errorf("%s: no complaint", name)
		}
	}
}
