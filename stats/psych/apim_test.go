// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// couples pairs the rows of the case, the first partner first, and centres the
// predictor on its mean.
func couples(t *testing.T, d *Table) []Dyad {
	t.Helper()
	id, part := column(d, "CoupleID"), column(d, "Partnum")
	sat, x := column(d, "sat"), column(d, "otherpos_a")
	mean := average(x)
	at := map[float64]int{}
	var ds []Dyad
	for i := range id {
		k, ok := at[id[i]]
		if !ok {
			k = len(ds)
			at[id[i]] = k
			ds = append(ds, Dyad{})
		}
		m := int(part[i]) - 1
		ds[k].Outcome[m] = sat[i]
		ds[k].Predictors[m] = []float64{x[i] - mean}
	}
	return ds
}

func TestGoldenAPIM(t *testing.T) {
	t.Parallel()
	g := openGolden(t, "dyad_01_acitelli_apim")
	d, _ := goldenTable(t, "dyad_01_acitelli_apim")
	ds := couples(t, d)
	g.num("rows", float64(2*len(ds)), closed)
	compare := func(path string, o APIMOptions, order []int) *APIMResult {
		r, err := APIM(ds, []string{"otherpos"}, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range order {
			g.num(fmt.Sprintf("%s/beta/%d", path, i), r.Coefficients[k].Estimate, optimised)
			g.num(fmt.Sprintf("%s/se/%d", path, i), r.Coefficients[k].SE, optimised)
		}
		if g.has(path + "/rho") {
			g.num(path+"/sigma", r.SD[0], optimised)
			g.num(path+"/rho", r.Rho, optimised)
			g.skip(path+"/terms", "names of R's terms")
		}
		g.num(path+"/logLik", r.LogL, optimised)
		return r
	}
	// R's order: intercept, role, actor, partner, role by actor, role by partner;
	// its role is 1 for the first partner and -1 for the second.
	r := compare("distinguishable_ML", APIMOptions{Roles: true}, []int{0, 3, 1, 2, 4, 5})
	g.num("distinguishable_ML/ratio", r.SD[1]/r.SD[0], optimised)
	compare("indistinguishable_ML", APIMOptions{}, []int{0, 1, 2})
	compare("indistinguishable_REML", APIMOptions{REML: true}, []int{0, 1, 2})
	r = compare("lmer_REML_equiv", APIMOptions{REML: true}, []int{0, 1, 2})
	const l = "lmer_REML_equiv"
	g.num(l+"/n", float64(2*r.Dyads), closed)
	g.num(l+"/ngroups/CoupleID", float64(r.Dyads), closed)
	g.num(l+"/criterion", -2*r.LogL, optimised)
	g.num(l+"/AIC", r.AIC, optimised)
	g.num(l+"/BIC", -2*r.LogL+float64(r.K)*math.Log(296), optimised)
	v := r.SD[0] * r.SD[0]
	g.num(l+"/sigma", math.Sqrt(v*(1-r.Rho)), optimised)
	g.num(l+"/theta/CoupleID.(Intercept)", math.Sqrt(r.Rho/(1-r.Rho)), optimised)
	g.num(l+"/varcorr/0/vcov", v*r.Rho, optimised)
	g.num(l+"/varcorr/0/sdcor", math.Sqrt(v*r.Rho), optimised)
	g.num(l+"/varcorr/1/vcov", v*(1-r.Rho), optimised)
	g.num(l+"/varcorr/1/sdcor", math.Sqrt(v*(1-r.Rho)), optimised)
	for _, s := range []string{"REML", "fixed_names", "varcorr/0/grp", "varcorr/0/var1", "varcorr/1/grp"} {
		g.skip(l+"/"+s, "names and settings")
	}
	for _, s := range []string{"fitted_head", "resid_head", "vcov_beta"} {
		g.skip(l+"/"+s, "conditional modes and their residuals are the business of stats/lmm")
	}
	g.done()
}

// thinned are the couples with two predictors and each tenth outcome taken away,
// as apim.R has them.
func thinned(t *testing.T) []Dyad {
	t.Helper()
	d, _ := goldenTable(t, "dyad_01_acitelli_apim")
	ds := couples(t, d)
	id, part, tension, other := column(d, "CoupleID"), column(d, "Partnum"), column(d, "tension_a"), column(d, "otherpos_a")
	at := map[float64]int{}
	var sums [2]float64
	used := 0.0
	for i := range id {
		if _, ok := at[id[i]]; !ok {
			at[id[i]] = len(at)
		}
		m := int(part[i]) - 1
		c := &ds[at[id[i]]]
		if (i+1)*7%10 == 0 {
			c.Outcome[m] = math.NaN()
		} else {
			sums[0] += other[i]
			sums[1] += tension[i]
			used++
		}
		c.Predictors[m] = []float64{other[i], tension[i]}
	}
	for i := range ds {
		for m := range 2 {
			for j := range 2 {
				ds[i].Predictors[m][j] -= sums[j] / used
			}
		}
	}
	return ds
}

// TestReferenceAPIM compares roles that share effects or variances, couples of
// which one outcome is missing, and the tests, with nlme.
func TestReferenceAPIM(t *testing.T) {
	t.Parallel()
	g := openReference(t, "apim")
	ds := thinned(t)
	names := []string{"otherpos", "tension"}
	const near = 2e-5
	for _, c := range []struct {
		name string
		o    APIMOptions
	}{
		{"roles_ML", APIMOptions{Roles: true}}, {"roles_REML", APIMOptions{Roles: true, REML: true}},
		{"equal_variances_ML", APIMOptions{Roles: true, EqualVariances: true}},
		{"equal_effects_ML", APIMOptions{Roles: true, EqualEffects: true}}, {"equal_effects_REML", APIMOptions{Roles: true, EqualEffects: true, REML: true}},
		{"alike_ML", APIMOptions{}}, {"alike_REML", APIMOptions{REML: true}},
	} {
		r, err := APIM(ds, names, c.o)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range r.Coefficients {
			g.within(fmt.Sprintf("%s/beta/%d", c.name, i), x.Estimate, 1e-5, .1)
			g.num(fmt.Sprintf("%s/se/%d", c.name, i), x.SE, near)
			g.within(fmt.Sprintf("%s/p/%d", c.name, i), x.P, 1e-4, .01)
		}
		g.num(c.name+"/sigma", r.SD[0], near)
		g.num(c.name+"/ratio", r.SD[1]/r.SD[0], near)
		g.num(c.name+"/rho", r.Rho, near)
		g.num(c.name+"/logLik", r.LogL, 1e-8)
		g.num(c.name+"/AIC", r.AIC, 1e-8)
		g.skip(c.name+"/BIC", "not computed")
		if c.name == "roles_ML" {
			g.num("rows", float64(r.Rows), closed)
			g.num("couples", float64(r.Dyads), closed)
			for _, x := range []struct{ ours, theirs, stat, df string }{
				{"actor and partner effects", "actor_partner", "F", "df1"}, {"intercepts of the roles", "intercepts", "F", "df1"}, {"actor effects of the roles", "actors", "F", "df1"}, {"partner effects of the roles", "partners", "F", "df1"},
				{"effects of the roles", "effects", "chi2", "df"}, {"variances of the roles", "variances", "chi2", "df"}, {"the roles in everything", "alike", "chi2", "df"},
			} {
				i := slices.IndexFunc(r.Tests, func(a APIMTest) bool { return a.Name == x.ours })
				if i < 0 {
					t.Fatalf("no test of %s in %+v", x.ours, r.Tests)
				}
				g.within("tests/"+x.theirs+"/"+x.stat, r.Tests[i].Stat, 1e-4, .01)
				g.num("tests/"+x.theirs+"/"+x.df, float64(r.Tests[i].DF1), closed)
				g.within("tests/"+x.theirs+"/p", r.Tests[i].P, 1e-4, .01)
			}
		}
	}
	g.done()
}

// TestAPIMByBothWays: the closed forms and the mixed model agree on whole couples.
func TestAPIMByBothWays(t *testing.T) {
	t.Parallel()
	d, _ := goldenTable(t, "dyad_01_acitelli_apim")
	ds := couples(t, d)
	for _, o := range []APIMOptions{{Level: .95}, {Level: .95, REML: true}, {Level: .95, Roles: true}, {Level: .95, Roles: true, REML: true}} {
		a, err := APIM(ds, []string{"x"}, o)
		if err != nil {
			t.Fatal(err)
		}
		b := &APIMResult{Rows: a.Rows, REML: o.REML}
		if err := b.fitMixed(ds, []string{"x"}, o); err != nil {
			t.Fatal(err)
		}
		for i := range a.Coefficients {
			for j := range a.Coefficients {
				if x, y := a.Vcov.At(i, j), b.Vcov.At(i, j); math.Abs(x-y) > 1e-6*math.Sqrt(a.Vcov.At(i, i)*a.Vcov.At(j, j)) {
					t.Errorf("%+v: covariance %d, %d is %v and %v", o, i, j, x, y)
				}
			}
		}
		if math.Abs(a.LogL-b.LogL) > 1e-7 || a.K != b.K || math.Abs(a.Rho-b.Rho) > 1e-6 || math.Abs(a.SD[1]-b.SD[1]) > 1e-6 {
			t.Errorf("%+v: %v, %v parameters, rho %v, SD %v; by the mixed model %v, %v, %v, %v", o, a.LogL, a.K, a.Rho, a.SD, b.LogL, b.K, b.Rho, b.SD)
		}
	}
}

func TestAPIMRefusesBadDyads(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	make10 := func(change func(i int, d *Dyad)) []Dyad {
		var out []Dyad
		for i := range 10 {
			f := float64(i)
			d := Dyad{Outcome: [2]float64{math.Sin(f), math.Cos(3 * f)}, Predictors: [2][]float64{{math.Sin(5 * f)}, {math.Cos(7 * f)}}}
			change(i, &d)
			out = append(out, d)
		}
		return out
	}
	for name, c := range map[string]struct {
		change func(i int, d *Dyad)
		o      APIMOptions
		says   string
	}{
		"constant predictor":   {func(_ int, d *Dyad) { d.Predictors = [2][]float64{{1}, {1}} }, APIMOptions{Roles: true}, "dependent"},
		"same in both members": {func(_ int, d *Dyad) { d.Predictors[1] = d.Predictors[0] }, APIMOptions{}, "dependent"},
		"the same, halves":     {func(i int, d *Dyad) { d.Predictors[1] = d.Predictors[0]; d.Outcome[i%2] = nan }, APIMOptions{}, ""},
		"constant outcome":     {func(_ int, d *Dyad) { d.Outcome = [2]float64{2, 2} }, APIMOptions{Roles: true}, "residual"},
		"no outcome":           {func(_ int, d *Dyad) { d.Outcome = [2]float64{nan, nan} }, APIMOptions{}, "complete"},
		"infinite":             {func(i int, d *Dyad) { d.Outcome[0] = inf * float64(1-2*(i%2)) }, APIMOptions{}, "infinite"},
		"equal without roles":  {func(int, *Dyad) {}, APIMOptions{EqualEffects: true}, "roles"},
	} {
		r, err := APIM(make10(c.change), []string{"x"}, c.o)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
