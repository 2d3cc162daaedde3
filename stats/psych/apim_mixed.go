// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/lmm"
)

// APIMTest is a test of what two roles, or an own and a partner's effect, have in
// common. DF2 is 0 where Stat is chi-squared, and else that of F.
type APIMTest struct {
	Name     string // what is equal if the hypothesis holds
	Stat, P  float64
	DF1, DF2 int
}

// fitMixed fits the model as one with correlated residuals by stats/lmm, for
// dyads of which one outcome is missing and for roles that share effects or
// variances: no closed form is known for those.
func (r *APIMResult) fitMixed(ds []Dyad, names []string, o APIMOptions) error {
	frame, formula, err := apimFrame(ds, len(names), o)
	if err != nil {
		return err
	}
	opts := &lmm.Options{ML: !o.REML, Within: &lmm.Correlation{Kind: lmm.Symmetric, Group: "dyad"}}
	if o.Roles && !o.EqualVariances {
		opts.Variance = &lmm.Variances{Stratum: "member"}
	}
	m, err := lmm.Fit(formula, frame, opts)
	if err != nil {
		return fmt.Errorf("fit the actor-partner model: %w", err)
	}
	if len(m.Aliased) > 0 {
		return fmt.Errorf("the predictors of the members are linearly dependent")
	}
	if !m.State.Converged {
		return fmt.Errorf("the actor-partner model did not converge: %s", m.State.Note)
	}
	r.SD = [2]float64{m.Sigma, m.Sigma}
	if opts.Variance != nil {
		for i, level := range m.Residual.Strata {
			if level == "1" {
				r.SD[0] = m.Residual.SD[i]
			} else {
				r.SD[1] = m.Residual.SD[i]
			}
		}
	}
	r.Rho, r.K, r.LogL, r.AIC = m.Residual.Correlation, m.Parameters, m.LogLik, m.AIC
	r.tables(m, names, o)
	return nil
}

// apimFrame lays the members with an outcome out in rows: y, the own predictors
// a0, a1, ..., the partner's p0, p1, ..., the role r (1 or -1), member and dyad.
func apimFrame(ds []Dyad, k int, o APIMOptions) (*stats.Frame, string, error) {
	columns := make([][]float64, 2*k+2)
	var member, dyad, terms []string
	for i, d := range ds {
		for m := range 2 {
			if math.IsNaN(d.Outcome[m]) {
				continue
			}
			columns[0] = append(columns[0], d.Outcome[m])
			columns[1] = append(columns[1], float64(1-2*m))
			for j := range k {
				columns[2+j] = append(columns[2+j], d.Predictors[m][j])
				columns[2+k+j] = append(columns[2+k+j], d.Predictors[1-m][j])
			}
			member = append(member, fmt.Sprint(m+1))
			dyad = append(dyad, fmt.Sprint(i))
		}
	}
	out := []*stats.Column{stats.NewFactor("member", member, nil), stats.NewFactor("dyad", dyad, nil)}
	for c, v := range columns {
		name := []string{"y", "r"}[min(c, 1)]
		if c > 1 {
			name = apimColumn((c-2)/k, (c-2)%k)
			terms = append(terms, name)
		}
		col, err := stats.NewNumeric(name, v, nil)
		if err != nil {
			return nil, "", fmt.Errorf("the actor-partner model: %w", err)
		}
		out = append(out, col)
	}
	f, err := stats.NewFrame(out...)
	if err != nil {
		return nil, "", fmt.Errorf("the actor-partner model: %w", err)
	}
	formula := "y ~ " + strings.Join(terms, " + ")
	if o.Roles && !o.EqualEffects {
		formula = "y ~ r * (" + strings.Join(terms, " + ") + ")"
	}
	return f, formula, nil
}

func apimColumn(side, j int) string { return string("ap"[side]) + fmt.Sprint(j) }

// tables takes the coefficients from the mixed model, in the order of termLabels.
func (r *APIMResult) tables(m *lmm.Model, names []string, o APIMOptions) {
	plain := []string{"(Intercept)"}
	half := []string{"r"}
	for side := range 2 {
		for j := range names {
			plain = append(plain, apimColumn(side, j))
			half = append(half, "r:"+apimColumn(side, j))
		}
	}
	order := plain
	byRole := o.Roles && !o.EqualEffects
	if byRole {
		order = append(slices.Clone(plain), half...)
	}
	at := make([]int, len(order))
	for i, name := range order {
		at[i] = slices.IndexFunc(m.Fixed, func(c lmm.Coefficient) bool { return c.Name == name })
	}
	df := float64(m.N - len(m.Fixed))
	scale := 1.0
	if !o.REML {
		scale = float64(m.N) / df
	}
	r.Vcov = mat.NewSymDense(len(order), nil)
	b := make([]float64, len(order))
	for i := range order {
		b[i] = m.Fixed[at[i]].Estimate
		for j := i; j < len(order); j++ {
			r.Vcov.SetSym(i, j, scale*m.VCov.At(at[i], at[j]))
		}
	}
	labels := termLabels(names)
	for i := range order {
		label := labels[i%len(labels)]
		if i >= len(labels) {
			label = "role:" + label
		}
		r.Coefficients = append(r.Coefficients, coefficient(label, b[i], math.Sqrt(r.Vcov.At(i, i)), df, o.Level))
	}
	if !byRole {
		return
	}
	r.Roles = make([][]Coefficient, 2)
	t := len(labels)
	for i, label := range labels {
		for role, sign := range []float64{1, -1} {
			v := r.Vcov.At(i, i) + r.Vcov.At(t+i, t+i) + 2*sign*r.Vcov.At(i, t+i)
			r.Roles[role] = append(r.Roles[role], coefficient(label, b[i]+sign*b[t+i], math.Sqrt(math.Max(0, v)), df, o.Level))
		}
	}
}

// test fills Tests: by Wald's F that roles share intercept, actor and partner
// effects, and that actor and partner effects are equal; by the ratio of
// likelihoods that roles share effects, variances, or both (Kenny, Kashy & Cook
// 2006, chapter 7: the test of distinguishability). Those refit by full maximum
// likelihood, and a model that cannot be fitted is left out.
func (r *APIMResult) test(ds []Dyad, names []string, o APIMOptions) {
	k, t := len(names), 2*len(names)+1
	df2 := r.Rows - len(r.Coefficients)
	same := func(first, second int) [][]float64 {
		var rows [][]float64
		for j := range k {
			row := make([]float64, len(r.Coefficients))
			row[first+j] = 1
			if second > 0 {
				row[second+j] = -1
			}
			rows = append(rows, row)
		}
		return rows
	}
	add := func(name string, contrast [][]float64) {
		if f, ok := r.wald(contrast); ok {
			r.Tests = append(r.Tests, APIMTest{name, f, distuv.F{D1: float64(len(contrast)), D2: float64(df2)}.Survival(f), len(contrast), df2})
		}
	}
	add("actor and partner effects", same(1, 1+k))
	if len(r.Coefficients) == t {
		return
	}
	intercept := make([]float64, len(r.Coefficients))
	intercept[t] = 1
	add("intercepts of the roles", [][]float64{intercept})
	add("actor effects of the roles", same(t+1, 0))
	add("partner effects of the roles", same(t+1+k, 0))
	if o.EqualVariances {
		return
	}
	r.ratios(ds, names, o)
}

func (r *APIMResult) ratios(ds []Dyad, names []string, o APIMOptions) {
	o.REML = false
	full := r
	if r.REML {
		full = &APIMResult{Rows: r.Rows}
		if full.fit(ds, names, o) != nil {
			return
		}
	}
	for _, c := range []struct {
		name               string
		effects, variances bool
	}{{"effects of the roles", true, false}, {"variances of the roles", false, true}, {"the roles in everything", true, true}} {
		small := &APIMResult{Rows: r.Rows}
		part := o
		part.EqualEffects, part.EqualVariances = c.effects, c.variances
		if c.effects && c.variances {
			part = APIMOptions{Level: o.Level}
		}
		if small.fit(ds, names, part) != nil {
			continue
		}
		chi, df := math.Max(0, 2*(full.LogL-small.LogL)), full.K-small.K
		r.Tests = append(r.Tests, APIMTest{c.name, chi, distuv.ChiSquared{K: float64(df)}.Survival(chi), df, 0})
	}
}

// wald is b'C'(C V C')^-1 C b over the number of rows of C.
func (r *APIMResult) wald(contrast [][]float64) (float64, bool) {
	c := mat.NewDense(len(contrast), len(r.Coefficients), slices.Concat(contrast...))
	b := mat.NewVecDense(len(r.Coefficients), nil)
	for i, x := range r.Coefficients {
		b.SetVec(i, x.Estimate)
	}
	inv, ok := inverseSym(congruent(mat.DenseCopyOf(c.T()), r.Vcov))
	if !ok {
		return 0, false
	}
	var d mat.VecDense
	d.MulVec(c, b)
	return mat.Inner(&d, inv, &d) / float64(len(contrast)), true
}
