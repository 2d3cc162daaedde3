// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/entente-project/entente/stats/lmm"
)

// ICCForm is one of the six intraclass correlations of Shrout & Fleiss (1979).
type ICCForm struct {
	// Type is ICC1, ICC2, ICC3 (one rating) or ICC1k, ICC2k, ICC3k (the mean of
	// all raters): raters nested in targets; raters drawn at random, absolute
	// agreement; these raters only, consistency.
	Type     string
	ICC      float64 // -math.MaxFloat64 where the mean of raters has none: nothing is left to divide by
	F        float64 // test of ICC = 0
	DF1, DF2 float64
	P        float64
	CI       [2]float64 // the lower end of a mean of raters is -math.MaxFloat64 where it has none
	// Exact says that the error of this form is nothing: ICC is 1, and F, which
	// would be infinite, is left at 0.
	Exact bool
}

// ICCResult is the analysis of variance of targets by raters and what follows.
type ICCResult struct {
	Targets, Raters int
	Omitted         int     // targets left out because they have no rating
	Missing         int     // ratings missing among the others; if any, the mean squares are those of Mixed
	MSB, MSW        float64 // between and within targets
	MSJ, MSE        float64 // between raters, and rest
	Level           float64 // of the intervals
	Forms           [6]ICCForm
	// Mixed is the model with targets and raters at random behind it where ratings
	// are missing: its State says how far to trust it. Nil without missing ratings.
	Mixed *lmm.Model
}

// ICC returns the six intraclass correlations of targets (rows) rated by the
// same raters (columns), with F tests and intervals at the given level. Where
// ratings are missing (at random), variances are estimated from all that there
// are by a mixed model and the mean squares are what they would be for a full
// table. Targets without any rating are left out and counted. It needs two
// targets and two raters, and ratings that vary.
//
// Sources: Shrout & Fleiss (1979), Psychological Bulletin 86; McGraw & Wong
// (1996), Psychological Methods 1, table 7.
func ICC(x mat.Matrix, level float64) (*ICCResult, error) {
	if err := checkFinite(x); err != nil {
		return nil, err
	}
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	all, k := x.Dims()
	c, missing := ratedRows(x)
	if c == nil || k < 2 || c.RawMatrix().Rows < 2 {
		return nil, fmt.Errorf("intraclass correlation needs two targets that two raters rated: %w", ErrNoData)
	}
	n := c.RawMatrix().Rows
	r := &ICCResult{Targets: n, Raters: k, Omitted: all - n, Missing: missing, Level: level}
	unit, err := inUnits(c)
	if err != nil {
		return nil, err
	}
	if missing > 0 {
		err = r.mixedSquares(c)
	} else if r.meanSquares(c) == 0 {
		err = errEqualRatings
	} else if r.MSB == 0 {
		err = fmt.Errorf("the means of the %d targets are equal", n)
	}
	if err != nil {
		return nil, err
	}
	r.forms()
	for _, m := range []*float64{&r.MSB, &r.MSW, &r.MSJ, &r.MSE} {
		if *m = math.Ldexp(*m, 2*unit); math.IsInf(*m, 0) {
			return nil, errLargeRatings
		}
	}
	return r, nil
}

var (
	errEqualRatings = errors.New("all ratings are equal")
	errLargeRatings = errors.New("the ratings are too large; give them in another unit")
)

// ratedRows returns the rows with a rating and how many ratings they lack.
func ratedRows(x mat.Matrix) (*mat.Dense, int) {
	rows, k := x.Dims()
	var data []float64
	missing := 0
	for i := range rows {
		row := mat.Row(nil, i, x)
		lacks := 0
		for _, v := range row {
			if math.IsNaN(v) {
				lacks++
			}
		}
		if lacks < k {
			data = append(data, row...)
			missing += lacks
		}
	}
	if len(data) == 0 {
		return nil, 0
	}
	return mat.NewDense(len(data)/k, k, data), missing
}

// inUnits takes the first rating from all and divides by a power of two, so that
// squares stay within what a number holds; it returns the power.
func inUnits(c *mat.Dense) (int, error) {
	first, largest := math.NaN(), 0.0
	for _, v := range c.RawMatrix().Data {
		if math.IsNaN(v) {
			continue
		}
		if math.IsNaN(first) {
			first = v
		}
		largest = math.Max(largest, math.Abs(v-first))
	}
	if math.IsInf(largest, 0) {
		return 0, errLargeRatings
	}
	_, unit := math.Frexp(largest)
	c.Apply(func(_, _ int, v float64) float64 { return math.Ldexp(v-first, -unit) }, c)
	return unit, nil
}

// meanSquares fills the analysis of variance of ratings less the first, so that a
// large mean costs no digits, and returns the total sum of squares.
func (r *ICCResult) meanSquares(x *mat.Dense) float64 {
	n, k := r.Targets, r.Raters
	row, col := make([]float64, n), make([]float64, k)
	var grand float64
	for i := range n {
		for j := range k {
			d := x.At(i, j)
			row[i] += d / float64(k)
			col[j] += d / float64(n)
			grand += d / float64(n*k)
		}
	}
	var ssb, ssj, sse, total float64
	for i := range n {
		ssb += float64(k) * (row[i] - grand) * (row[i] - grand)
		for j := range k {
			d := x.At(i, j)
			e := d - row[i] - col[j] + grand
			sse += e * e
			total += (d - grand) * (d - grand)
		}
	}
	for j := range k {
		ssj += float64(n) * (col[j] - grand) * (col[j] - grand)
	}
	for _, s := range []*float64{&ssb, &ssj, &sse} {
		if *s < 1e-24*total { // rounding, not variance
			*s = 0
		}
	}
	fn, fk := float64(n), float64(k)
	r.MSB, r.MSJ = ssb/(fn-1), ssj/(fk-1)
	r.MSE = sse / ((fn - 1) * (fk - 1))
	r.MSW = (ssj + sse) / (fn * (fk - 1))
	return total
}

func (r *ICCResult) forms() {
	n, k := float64(r.Targets), float64(r.Raters)
	df1, dfW, dfE := n-1, n*(k-1), (n-1)*(k-1)
	one := oneWay(r.MSB, r.MSW, df1, dfW, k, r.Level)
	three := oneWay(r.MSB, r.MSE, df1, dfE, k, r.Level)
	two := three
	den := r.MSB + (k-1)*r.MSE + k*(r.MSJ-r.MSE)/n
	two[0].ICC, two[1].ICC = (r.MSB-r.MSE)/den, (r.MSB-r.MSE)/(r.MSB+(r.MSJ-r.MSE)/n)
	if math.IsInf(two[1].ICC, 0) || math.IsNaN(two[1].ICC) {
		two[1].ICC = -math.MaxFloat64
	}
	exact := r.MSE == 0 && r.MSJ == 0
	if !exact {
		two[0].CI = r.agreementInterval(two[0].ICC)
		for i, b := range two[0].CI {
			two[1].CI[i] = -math.MaxFloat64
			if d := 1 + b*(k-1); d > 1e-12 {
				two[1].CI[i] = b * k / d
			}
		}
	}
	for i, f := range [3][2]ICCForm{one, two, three} {
		for j, suffix := range []string{"", "k"} {
			f[j].Type = fmt.Sprintf("ICC%d%s", i+1, suffix)
			r.Forms[3*j+i] = f[j]
		}
	}
}

// oneWay returns the single and the average form for a ratio of mean squares:
// Shrout & Fleiss 1979, p. 424-425 (ICC1) and p. 425 (ICC3).
func oneWay(msb, ms, df1, df2, k, level float64) [2]ICCForm {
	single := ICCForm{ICC: (msb - ms) / (msb + (k-1)*ms), DF1: df1, DF2: df2}
	average := single
	if ms == 0 {
		single.Exact, single.CI = true, [2]float64{1, 1}
		average = single
		return [2]ICCForm{single, average}
	}
	f := msb / ms
	tail := (1 - level) / 2
	fl := f / distuv.F{D1: df1, D2: df2}.Quantile(1-tail)
	fu := f * distuv.F{D1: df2, D2: df1}.Quantile(1-tail)
	single.F, single.P = f, distuv.F{D1: df1, D2: df2}.Survival(f)
	single.CI = [2]float64{(fl - 1) / (fl + k - 1), (fu - 1) / (fu + k - 1)}
	average.F, average.P = single.F, single.P
	average.ICC = (msb - ms) / msb
	average.CI = [2]float64{1 - 1/fl, 1 - 1/fu}
	return [2]ICCForm{single, average}
}

// agreementInterval is that of ICC2: Shrout & Fleiss 1979, p. 425, multiplied by
// MSE squared so that it holds without error variance too.
func (r *ICCResult) agreementInterval(icc float64) [2]float64 {
	n, k := float64(r.Targets), float64(r.Raters)
	a := n*(1+(k-1)*icc) - k*icc
	num := k*icc*r.MSJ + a*r.MSE
	v := (k - 1) * (n - 1) * num * num / ((n-1)*k*k*icc*icc*r.MSJ*r.MSJ + a*a*r.MSE*r.MSE)
	tail := (1 - r.Level) / 2
	fu := distuv.F{D1: n - 1, D2: v}.Quantile(1 - tail)
	fl := distuv.F{D1: v, D2: n - 1}.Quantile(1 - tail)
	rest := k*r.MSJ + (k*n-k-n)*r.MSE
	return [2]float64{
		n * (r.MSB - fu*r.MSE) / (fu*rest + n*r.MSB),
		n * (fl*r.MSB - r.MSE) / (rest + n*fl*r.MSB),
	}
}
