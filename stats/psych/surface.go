// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Coefficient is an estimate with its standard error and test.
type Coefficient struct {
	Name     string
	Estimate float64
	SE       float64
	T, P     float64 // t on DF degrees of freedom, two-sided
	CI       [2]float64
}

// Regression is a least-squares fit.
type Regression struct {
	N, DF        int
	Omitted      int // rows left out because a value is missing
	Coefficients []Coefficient
	Cov          *mat.SymDense // of the estimates
	Sigma        float64       // residual standard deviation
	R2           float64
	F, FP        float64 // test of all but the intercept; 0 and 1 without a slope
}

// leastSquares fits y on the columns of x, of which the first is the constant.
func leastSquares(y []float64, x *mat.Dense, names []string, level float64) (*Regression, error) {
	n, p := x.Dims()
	if n <= p {
		return nil, fmt.Errorf("%d complete rows for %d coefficients: %w", n, p, ErrNoData)
	}
	z, scale, err := scaledColumns(x, names)
	if err != nil {
		return nil, err
	}
	var qr mat.QR
	qr.Factorize(z)
	if c := qr.Cond(); !(c < 1e12) {
		return nil, fmt.Errorf("%s are linearly dependent", joinNames(names[1:]))
	}
	var b mat.VecDense
	if err := qr.SolveVecTo(&b, false, mat.NewVecDense(n, y)); err != nil {
		return nil, fmt.Errorf("least squares: %w", err)
	}
	var xtx mat.SymDense
	xtx.SymOuterK(1, z.T())
	var chol mat.Cholesky
	var inv mat.SymDense
	if !chol.Factorize(&xtx) {
		return nil, fmt.Errorf("%s are linearly dependent", joinNames(names[1:]))
	}
	if err := chol.InverseTo(&inv); err != nil {
		return nil, fmt.Errorf("%s are linearly dependent", joinNames(names[1:]))
	}
	var fit mat.VecDense
	fit.MulVec(z, &b)
	m := average(y)
	var rss, tss float64
	for i, v := range y {
		e := v - fit.AtVec(i)
		rss += e * e
		tss += (v - m) * (v - m)
	}
	if slices.Max(y) == slices.Min(y) { // tss is seldom exactly 0 then
		return nil, fmt.Errorf("the outcome is constant")
	}
	r := &Regression{N: n, DF: n - p, Sigma: math.Sqrt(rss / float64(n-p)), R2: 1 - rss/tss, FP: 1}
	r.Cov = mat.NewSymDense(p, nil)
	beta := make([]float64, p)
	for i := range p {
		beta[i] = b.AtVec(i) / scale[i]
		for j := i; j < p; j++ {
			r.Cov.SetSym(i, j, r.Sigma*r.Sigma*inv.At(i, j)/(scale[i]*scale[j]))
		}
	}
	for i, name := range names {
		r.Coefficients = append(r.Coefficients, coefficient(name, beta[i], math.Sqrt(r.Cov.At(i, i)), float64(r.DF), level))
	}
	if p > 1 && rss > 0 {
		r.F = max(0, tss-rss) / float64(p-1) / (rss / float64(n-p))
		r.FP = distuv.F{D1: float64(p - 1), D2: float64(n - p)}.Survival(r.F)
	}
	return r, nil
}

// scaledColumns divides each column by its length, so that the size of a unit
// does not look like dependence.
func scaledColumns(x *mat.Dense, names []string) (z *mat.Dense, scale []float64, err error) {
	n, p := x.Dims()
	scale = make([]float64, p)
	z = mat.NewDense(n, p, nil)
	for j := range p {
		var s float64
		for i := range n {
			s = math.Hypot(s, x.At(i, j))
		}
		if s == 0 {
			return nil, nil, fmt.Errorf("%s is constant", names[j])
		}
		scale[j] = s
		for i := range n {
			z.Set(i, j, x.At(i, j)/s)
		}
	}
	return z, scale, nil
}

func coefficient(name string, estimate, se, df, level float64) Coefficient {
	c := Coefficient{Name: name, Estimate: estimate, SE: se, CI: [2]float64{estimate, estimate}}
	if se > 0 {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}
		c.T = estimate / se
		c.P = 2 * t.Survival(math.Abs(c.T))
		half := se * t.Quantile((1+level)/2)
		c.CI = [2]float64{estimate - half, estimate + half}
	}
	return c
}

func joinNames(names []string) string {
	s := ""
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}

// completeTogether returns the rows in which no column is missing.
func completeTogether(columns ...[]float64) (kept [][]float64, omitted int, err error) {
	n := len(columns[0])
	kept = make([][]float64, len(columns))
	for _, c := range columns {
		if len(c) != n {
			panic("psych: columns of different lengths")
		}
	}
rows:
	for i := range n {
		for j, c := range columns {
			if math.IsNaN(c[i]) {
				omitted++
				continue rows
			}
			if math.IsInf(c[i], 0) {
				return nil, 0, fmt.Errorf("row %d, column %d is infinite", i+1, j+1)
			}
		}
		for j, c := range columns {
			kept[j] = append(kept[j], c[i])
		}
	}
	if len(kept[0]) == 0 {
		return nil, 0, fmt.Errorf("no row is complete: %w", ErrNoData)
	}
	return kept, omitted, nil
}

// Surface is a response surface z = b0 + b1 x + b2 y + b3 x^2 + b4 xy + b5 y^2
// with its tests.
type Surface struct {
	Regression
	// A holds a1 = b1+b2, the slope along congruence x = y at the origin;
	// a2 = b3+b4+b5, the curve along it; a3 = b1-b2, the slope along incongruence
	// x = -y; a4 = b3-b4+b5, the curve along it; a5 = b3-b5, which is 0 if the
	// ridge lies along congruence.
	A [5]Coefficient
	// Stationary is where the surface is flat, if HasStationary.
	Stationary    [2]float64
	HasStationary bool
}

// ResponseSurface fits the surface by least squares. x and y must be on one scale
// and centred on one value (the middle of the scale, or the mean of both), or the
// five tests have no meaning. Rows with a missing value are left out.
//
// Sources: Edwards & Parry (1993), Academy of Management Journal 36; Shanock et
// al. (2010), Journal of Business and Psychology 25; a5: Humberg, Nestler & Back
// (2019), Social Psychological and Personality Science 10.
func ResponseSurface(x, y, z []float64, level float64) (*Surface, error) {
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	kept, omitted, err := completeTogether(x, y, z)
	if err != nil {
		return nil, err
	}
	x, y, z = kept[0], kept[1], kept[2]
	d := mat.NewDense(len(x), 6, nil)
	for i := range x {
		d.SetRow(i, []float64{1, x[i], y[i], x[i] * x[i], x[i] * y[i], y[i] * y[i]})
	}
	r, err := leastSquares(z, d, []string{"b0", "x", "y", "x2", "xy", "y2"}, level)
	if err != nil {
		return nil, err
	}
	r.Omitted = omitted
	s := &Surface{Regression: *r}
	b := make([]float64, 6)
	for i, c := range r.Coefficients {
		b[i] = c.Estimate
	}
	for i, l := range [5][6]float64{{0, 1, 1}, {0, 0, 0, 1, 1, 1}, {0, 1, -1}, {0, 0, 0, 1, -1, 1}, {0, 0, 0, 1, 0, -1}} {
		v := mat.NewVecDense(6, l[:])
		se := math.Sqrt(max(0, mat.Inner(v, r.Cov, v)))
		s.A[i] = coefficient(fmt.Sprintf("a%d", i+1), mat.Dot(v, mat.NewVecDense(6, b)), se, float64(r.DF), level)
	}
	if det := 4*b[3]*b[5] - b[4]*b[4]; math.Abs(det) > 1e-12*(b[3]*b[3]+b[4]*b[4]+b[5]*b[5]) {
		s.Stationary = [2]float64{(b[2]*b[4] - 2*b[1]*b[5]) / det, (b[1]*b[4] - 2*b[2]*b[3]) / det}
		s.HasStationary = true
	}
	return s, nil
}

// TruthBiasResult is the truth-and-bias model of one judgment and one truth for
// each dyad.
type TruthBiasResult struct {
	Regression
	MeanTruth       float64
	DirectionalBias float64 // intercept: mean judgment less mean truth
	Truth           float64 // slope: how far judgments follow the truth
	R               float64 // correlation of judgment and truth
	PairedT         float64 // test that the means are equal, t on N-1; 0 if differences do not vary
}

// TruthBias fits judgment on truth, both centred on the mean truth, by least
// squares: independent dyads with one pair of ratings each. moderator, if not
// nil, is centred on its own mean and enters with its product. Rows with a
// missing value are left out.
//
// Source: West & Kenny (2011), Psychological Review 118, eq. 1.
func TruthBias(judgment, truth, moderator []float64, level float64) (*TruthBiasResult, error) {
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	columns := [][]float64{judgment, truth}
	names := []string{"bias", "truth"}
	if moderator != nil {
		columns = append(columns, moderator)
		names = append(names, "moderator", "truth:moderator")
	}
	kept, omitted, err := completeTogether(columns...)
	if err != nil {
		return nil, err
	}
	j, t := kept[0], kept[1]
	n := len(j)
	mt := average(t)
	y := make([]float64, n)
	d := mat.NewDense(n, len(names), nil)
	for i := range n {
		y[i] = j[i] - mt
		d.Set(i, 0, 1)
		d.Set(i, 1, t[i]-mt)
		if moderator != nil {
			m := kept[2][i] - average(kept[2])
			d.Set(i, 2, m)
			d.Set(i, 3, m*(t[i]-mt))
		}
	}
	reg, err := leastSquares(y, d, names, level)
	if err != nil {
		return nil, err
	}
	reg.Omitted = omitted
	r := &TruthBiasResult{Regression: *reg, MeanTruth: mt,
		DirectionalBias: reg.Coefficients[0].Estimate, Truth: reg.Coefficients[1].Estimate}
	c, _, _, _, err := pairwiseCov(pairColumns(j, t))
	if err != nil {
		return nil, err
	}
	r.R = c.At(0, 1) / math.Sqrt(c.At(0, 0)*c.At(1, 1))
	if v := c.At(0, 0) + c.At(1, 1) - 2*c.At(0, 1); v > 1e-24*(c.At(0, 0)+c.At(1, 1)) {
		r.PairedT = (average(j) - mt) / math.Sqrt(v/float64(n))
	}
	return r, nil
}

func pairColumns(a, b []float64) *mat.Dense {
	d := mat.NewDense(len(a), 2, nil)
	d.SetCol(0, a)
	d.SetCol(1, b)
	return d
}
