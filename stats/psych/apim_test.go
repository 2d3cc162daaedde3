// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
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
