// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Dyad is two members who each have an outcome and the same predictors. Where
// roles are told apart, member 0 has the first role in every dyad. NaN is missing:
// of one outcome, the other is used still; of a predictor, the dyad is left out,
// as it is a predictor of both.
type Dyad struct {
	Outcome    [2]float64
	Predictors [2][]float64
}

// APIMResult is an actor-partner interdependence model: each member's outcome
// depends on the own predictors (actor effects) and the other's (partner effects).
type APIMResult struct {
	Dyads, Omitted int // used; left out because values are missing
	Rows           int // outcomes used: fewer than two for each dyad where some are missing
	REML           bool
	// Coefficients are the intercept, then for each predictor the actor and then
	// for each the partner effects. Where roles are told apart they are the means
	// over the roles, followed by half the differences, first role less second.
	Coefficients []Coefficient
	// Roles holds intercept, actor and partner effects of each role; nil where
	// roles are not told apart.
	Roles [][]Coefficient
	SD    [2]float64 // residual standard deviations of the members
	Rho   float64    // correlation of the two residuals
	LogL  float64    // restricted, if REML
	K     int        // parameters, for AIC
	AIC   float64
	Vcov  *mat.SymDense // of Coefficients, with the factor that standard errors have
	Tests []APIMTest    // of what roles, and actor and partner effects, have in common
}

// APIMOptions say how the model is fitted.
type APIMOptions struct {
	Roles bool // members have roles, with effects and variances of their own
	// EqualEffects and EqualVariances are for roles that have these in common.
	EqualEffects, EqualVariances bool
	REML                         bool    // restricted instead of full maximum likelihood
	Level                        float64 // of intervals; .95 if 0
}

// APIM fits the model. Predictors should be centred on one value for both members. With full maximum likelihood standard errors are
// multiplied by sqrt(N/(N-p)) with N outcomes, as by nlme's gls, whose t tests on
// N-p degrees of freedom these are.
//
// With both members' predictors in both equations and both outcomes there the
// estimates have a closed form: with roles, least squares of each role; without,
// least squares of the sum and of the difference of the members. Else the model is
// one of stats/lmm.
//
// Source: Kenny, Kashy & Cook (2006), Dyadic Data Analysis, chapter 7; Zellner
// (1962) for the equality with least squares.
func APIM(dyads []Dyad, names []string, o APIMOptions) (*APIMResult, error) {
	if o.Level == 0 {
		o.Level = .95
	}
	if !(o.Level > 0 && o.Level < 1) {
		return nil, fmt.Errorf("level %v is not between 0 and 1", o.Level)
	}
	k := len(names)
	if k == 0 {
		return nil, fmt.Errorf("the model has no predictor")
	}
	r := &APIMResult{REML: o.REML}
	var whole []Dyad
	for i, d := range dyads {
		var sum float64
		outcomes := 0
		for m := range 2 {
			if len(d.Predictors[m]) != k {
				panic("psych: predictors do not match their names")
			}
			if !math.IsNaN(d.Outcome[m]) {
				outcomes++
				sum += d.Outcome[m]
			}
			for _, v := range d.Predictors[m] {
				sum += v
			}
		}
		switch {
		case math.IsNaN(sum) && !hasInf(d), outcomes == 0:
			r.Omitted++
		case hasInf(d):
			return nil, fmt.Errorf("dyad %d has an infinite value", i+1)
		default:
			whole = append(whole, d)
			r.Rows += outcomes
		}
	}
	r.Dyads = len(whole)
	if r.Dyads < 2*k+3 {
		return nil, fmt.Errorf("%d complete dyads for %d predictors: %w", r.Dyads, k, ErrNoData)
	}
	if !o.Roles && (o.EqualEffects || o.EqualVariances) {
		return nil, fmt.Errorf("equal effects or variances are of roles, and roles are not told apart")
	}
	if err := r.fit(whole, names, o); err != nil {
		return nil, err
	}
	r.test(whole, names, o)
	return r, nil
}

// hasInf says whether a dyad has an infinite value.
func hasInf(d Dyad) bool {
	infinite := func(v float64) bool { return math.IsInf(v, 0) }
	return slices.ContainsFunc(d.Outcome[:], infinite) || slices.ContainsFunc(slices.Concat(d.Predictors[0], d.Predictors[1]), infinite)
}

// fit is by the closed form where there is one.
func (r *APIMResult) fit(ds []Dyad, names []string, o APIMOptions) error {
	switch {
	case r.Rows < 2*len(ds) || o.EqualEffects || o.EqualVariances:
		return r.fitMixed(ds, names, o)
	case o.Roles:
		return r.fitRoles(ds, names, o)
	}
	return r.fitAlike(ds, names, o)
}

// crossRegression is the least-squares fit of the columns of y on those of x.
type crossRegression struct {
	b   *mat.Dense
	inv *mat.SymDense // (X'X)^-1
	ss  *mat.SymDense // residual sums of squares and products
}

func regressTogether(x, y *mat.Dense, what string) (*crossRegression, error) {
	var xtx mat.SymDense
	xtx.SymOuterK(1, x.T())
	inv, ok := inverseSym(&xtx)
	if !ok {
		return nil, fmt.Errorf("the predictors of %s are linearly dependent", what)
	}
	var xty, b, e mat.Dense
	xty.Mul(x.T(), y)
	b.Mul(dense(inv), &xty)
	e.Mul(x, &b)
	e.Sub(y, &e)
	ss := &mat.SymDense{}
	ss.SymOuterK(1, e.T())
	return &crossRegression{&b, inv, ss}, nil
}

// fitRoles is least squares of each role on both members' predictors.
func (r *APIMResult) fitRoles(ds []Dyad, names []string, o APIMOptions) error {
	n, k := len(ds), len(names)
	p := 2*k + 1
	x, y := mat.NewDense(n, p, nil), mat.NewDense(n, 2, nil)
	for i, d := range ds {
		x.Set(i, 0, 1)
		for m := range 2 {
			y.Set(i, m, d.Outcome[m])
			for j, v := range d.Predictors[m] {
				x.Set(i, 1+m*k+j, v)
			}
		}
	}
	c, err := regressTogether(x, y, "the members")
	if err != nil {
		return err
	}
	div := float64(n)
	if o.REML {
		div -= float64(p)
	}
	s := mat.NewSymDense(2, nil)
	s.ScaleSym(1/div, c.ss)
	det := s.At(0, 0)*s.At(1, 1) - s.At(0, 1)*s.At(0, 1)
	if !(det > 1e-20*s.At(0, 0)*s.At(1, 1)) || !(det > 0) {
		return fmt.Errorf("the members' outcomes leave no residual variance, or the same residuals")
	}
	r.SD = [2]float64{math.Sqrt(s.At(0, 0)), math.Sqrt(s.At(1, 1))}
	r.Rho = s.At(0, 1) / (r.SD[0] * r.SD[1])
	df := float64(2*n - 2*p)
	scale := 1.0
	if !o.REML {
		scale = float64(2*n) / df
	}
	// The second role's predictors are stacked own first as well.
	at := func(role, term int) int {
		if term == 0 || role == 0 {
			return term
		}
		return 1 + (term-1+k)%(2*k)
	}
	cov := func(ra, ta, rb, tb int) float64 { return scale * s.At(ra, rb) * c.inv.At(at(ra, ta), at(rb, tb)) }
	labels := termLabels(names)
	r.Roles = make([][]Coefficient, 2)
	var half []Coefficient
	for t, label := range labels {
		b0, b1 := c.b.At(at(0, t), 0), c.b.At(at(1, t), 1)
		v0, v1, v01 := cov(0, t, 0, t), cov(1, t, 1, t), cov(0, t, 1, t)
		r.Roles[0] = append(r.Roles[0], coefficient(label, b0, math.Sqrt(v0), df, o.Level))
		r.Roles[1] = append(r.Roles[1], coefficient(label, b1, math.Sqrt(v1), df, o.Level))
		r.Coefficients = append(r.Coefficients, coefficient(label, (b0+b1)/2, math.Sqrt(v0+v1+2*v01)/2, df, o.Level))
		half = append(half, coefficient("role:"+label, (b0-b1)/2, math.Sqrt(math.Max(0, v0+v1-2*v01))/2, df, o.Level))
	}
	r.Coefficients = append(r.Coefficients, half...)
	r.Vcov = mat.NewSymDense(2*p, nil)
	for i := range 2 * p {
		for j := i; j < 2*p; j++ {
			// Half the sum, or half the difference, of the roles on either side.
			si, sj := 1-2*float64(i/p), 1-2*float64(j/p)
			t, u := i%p, j%p
			r.Vcov.SetSym(i, j, (cov(0, t, 0, u)+sj*cov(0, t, 1, u)+si*cov(1, t, 0, u)+si*sj*cov(1, t, 1, u))/4)
		}
	}
	r.K = 2*p + 3
	logDetXVX := 0.0
	if o.REML {
		// In the coding by mean and half difference the information is four to the
		// power of p times that by roles, whose determinant is this one's.
		ldInv, _ := logDetSym(c.inv)
		logDetXVX = -2*ldInv - float64(p)*math.Log(det) + float64(2*p)*math.Log(2)
	}
	r.likelihood(float64(n), float64(2*p), float64(n)*math.Log(det), quadratic(c.ss, s, det), logDetXVX)
	return nil
}

// quadratic is tr(S^-1 SS) of 2 by 2 matrices.
func quadratic(ss, s *mat.SymDense, det float64) float64 {
	return (s.At(1, 1)*ss.At(0, 0) + s.At(0, 0)*ss.At(1, 1) - 2*s.At(0, 1)*ss.At(0, 1)) / det
}

func logDetSym(a *mat.SymDense) (float64, bool) {
	v := rowMajor(a)
	return cholesky(v, a.SymmetricDim())
}

func termLabels(names []string) []string {
	labels := []string{"(Intercept)"}
	for _, n := range names {
		labels = append(labels, "actor:"+n)
	}
	for _, n := range names {
		labels = append(labels, "partner:"+n)
	}
	return labels
}

// fitAlike is least squares of the sum of the members on the sum of their
// predictors, which gives intercept and actor plus partner, and of the difference
// on the difference, which gives actor less partner.
func (r *APIMResult) fitAlike(ds []Dyad, names []string, o APIMOptions) error {
	n, k := len(ds), len(names)
	xs, xd := mat.NewDense(n, k+1, nil), mat.NewDense(n, k, nil)
	ys, yd := mat.NewDense(n, 1, nil), mat.NewDense(n, 1, nil)
	for i, d := range ds {
		// Halved roots keep each a unit-variance turn of the members.
		ys.Set(i, 0, (d.Outcome[0]+d.Outcome[1])/math.Sqrt2)
		yd.Set(i, 0, (d.Outcome[0]-d.Outcome[1])/math.Sqrt2)
		xs.Set(i, 0, math.Sqrt2)
		for j := range k {
			a, b := d.Predictors[0][j], d.Predictors[1][j]
			xs.Set(i, 1+j, (a+b)/math.Sqrt2)
			xd.Set(i, j, (a-b)/math.Sqrt2)
		}
	}
	sum, err := regressTogether(xs, ys, "the dyads")
	if err != nil {
		return err
	}
	diff, err := regressTogether(xd, yd, "the members")
	if err != nil {
		return err
	}
	fn, p := float64(n), float64(2*k+1)
	divS, divD := fn, fn
	if o.REML {
		divS, divD = fn-float64(k+1), fn-float64(k)
	}
	vs, vd := sum.ss.At(0, 0)/divS, diff.ss.At(0, 0)/divD
	if !(vs > 0) || !(vd > 0) {
		return fmt.Errorf("the outcomes leave no residual variance between dyads or between members")
	}
	r.Rho = (vs - vd) / (vs + vd)
	r.SD[0] = math.Sqrt((vs + vd) / 2)
	r.SD[1] = r.SD[0]
	df := 2*fn - p
	scale := 1.0
	if !o.REML {
		scale = 2 * fn / df
	}
	labels := termLabels(names)
	r.Coefficients = append(r.Coefficients, coefficient(labels[0], sum.b.At(0, 0), math.Sqrt(scale*vs*sum.inv.At(0, 0)), df, o.Level))
	for side, sign := range []float64{1, -1} {
		for j := range k {
			b := (sum.b.At(1+j, 0) + sign*diff.b.At(j, 0)) / 2
			v := (vs*sum.inv.At(1+j, 1+j) + vd*diff.inv.At(j, j)) / 4
			r.Coefficients = append(r.Coefficients, coefficient(labels[1+side*k+j], b, math.Sqrt(scale*v), df, o.Level))
		}
	}
	r.Vcov = alikeVcov(k, scale*vs, sum.inv, scale*vd, diff.inv)
	r.K = 2*k + 3
	logDetXVX := 0.0
	if o.REML {
		ls, _ := logDetSym(sum.inv)
		ld, _ := logDetSym(diff.inv)
		// From actor plus and less partner to actor and partner: a factor 2 each.
		logDetXVX = -ls - ld - float64(k+1)*math.Log(vs) - float64(k)*math.Log(vd) + float64(2*k)*math.Log(2)
	}
	r.likelihood(fn, p, fn*(math.Log(vs)+math.Log(vd)), sum.ss.At(0, 0)/vs+diff.ss.At(0, 0)/vd, logDetXVX)
	return nil
}

// alikeVcov is the covariance of intercept, actor and partner effects from those of
// the regressions of sums and of differences.
func alikeVcov(k int, vs float64, sum *mat.SymDense, vd float64, diff *mat.SymDense) *mat.SymDense {
	out := mat.NewSymDense(2*k+1, nil)
	out.SetSym(0, 0, vs*sum.At(0, 0))
	for i := range 2 * k {
		out.SetSym(0, 1+i, vs*sum.At(0, 1+i%k)/2)
		for j := i; j < 2*k; j++ {
			sign := 1.0
			if i/k != j/k {
				sign = -1
			}
			out.SetSym(1+i, 1+j, (vs*sum.At(1+i%k, 1+j%k)+sign*vd*diff.At(i%k, j%k))/4)
		}
	}
	return out
}

// likelihood fills LogL and AIC from log |V|, the residual quadratic form and, for
// REML, log |X'V^-1 X|.
func (r *APIMResult) likelihood(n, p, logDetV, q, logDetXVX float64) {
	count := 2 * n
	if r.REML {
		count -= p
	}
	r.LogL = -(count*math.Log(2*math.Pi) + logDetV + q + logDetXVX) / 2
	r.AIC = -2*r.LogL + 2*float64(r.K)
}
