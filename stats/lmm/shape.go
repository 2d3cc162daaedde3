// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"fmt"
	"math"
	"slices"

	"github.com/entente-project/entente/stats"
)

// Kind of correlation between the residuals of one group.
type Kind int

// The kinds (Pinheiro and Bates 2000, section 5.3): AR1 is phi^k for k steps
// apart, with whole steps, and Symmetric is one correlation for each pair, which
// may be negative; ContinuousAR1 is phi^t for any distance t in time, phi > 0.
const (
	AR1 Kind = iota
	ContinuousAR1
	Symmetric
)

// Correlation says how residuals of one group hang together, as corAR1, corCAR1
// and corCompSymm of nlme.
type Correlation struct {
	Kind  Kind
	Group string // column; rows of different groups are independent
	Time  string // column of the positions; empty: the order of the rows
}

// Variances lets the residual standard deviation differ between the levels of a
// column, as varIdent of nlme.
type Variances struct {
	Stratum   string
	Reference string // the level that Sigma belongs to; empty: that of the first row of the first group, as in nlme
}

// Residual holds the estimated structure of the residuals.
type Residual struct {
	Correlation float64 // phi, or the correlation of each pair; 0 where none was asked for
	Strata      []string
	Ratio       []float64 // standard deviation of each stratum, relative to the reference
	SD          []float64 // the same in the units of the response
}

// shape is a residual structure R made ready: R^-1/2 is applied block by block.
type shape struct {
	within  *Correlation
	blocks  [][]int32   // rows of each group, in their order in time
	gaps    [][]float64 // by block: distance to the row before
	longest int
	strata  []string
	stratum []int32
	ref     int
}

func newShape(d *stats.Design, o Options, terms []*term) (*shape, error) {
	if o.Within == nil && o.Variance == nil {
		return nil, nil //nolint:nilnil // no structure asked for
	}
	s := &shape{within: o.Within}
	if o.Variance != nil {
		if err := s.addStrata(d, o, terms); err != nil {
			return nil, err
		}
	}
	if o.Within == nil {
		return s, nil
	}
	g, err := d.Column(o.Within.Group)
	if err != nil {
		return nil, err
	}
	g = g.AsFactor()
	s.blocks = make([][]int32, len(g.Levels()))
	for i, c := range g.Codes() {
		s.blocks[c] = append(s.blocks[c], int32(i))
	}
	s.blocks = slices.DeleteFunc(s.blocks, func(b []int32) bool { return len(b) == 0 })
	for _, b := range s.blocks {
		s.longest = max(s.longest, len(b))
		for _, t := range terms {
			if slices.ContainsFunc(b, func(i int32) bool { return t.codes[i] != t.codes[b[0]] }) {
				return nil, fmt.Errorf("the groups of %q, in which residuals are correlated, must lie inside those of %q", o.Within.Group, t.name)
			}
		}
	}
	if s.longest < 2 {
		return nil, fmt.Errorf("no group of %q has two rows: there is no correlation to estimate", o.Within.Group)
	}
	return s, s.addTimes(d, o.Within)
}

func (s *shape) addStrata(d *stats.Design, o Options, terms []*term) error {
	v := o.Variance
	c, err := d.Column(v.Stratum)
	if err != nil {
		return err
	}
	f := c.AsFactor()
	count := make([]int, len(f.Levels()))
	for _, code := range f.Codes() {
		count[code]++
	}
	place := make([]int32, len(count))
	for code, n := range count {
		if n > 0 {
			place[code] = int32(len(s.strata))
			s.strata = append(s.strata, f.Levels()[code])
		}
	}
	for _, code := range f.Codes() {
		s.stratum = append(s.stratum, place[code])
	}
	if len(s.strata) < 2 {
		return fmt.Errorf("the column %q has one level only: no variances to compare", v.Stratum)
	}
	if v.Reference == "" {
		first, err := firstRow(d, o.Within, terms)
		if err != nil {
			return err
		}
		s.ref = int(s.stratum[first])
		return nil
	}
	if s.ref = slices.Index(s.strata, v.Reference); s.ref < 0 {
		return fmt.Errorf("%q is no level of %q", v.Reference, v.Stratum)
	}
	return nil
}

// firstRow is the row that comes first when rows are sorted by the groupings, the
// one with the fewest groups first.
func firstRow(d *stats.Design, w *Correlation, terms []*term) (int, error) {
	var keys [][]int32
	for _, t := range slices.Backward(terms) {
		keys = append(keys, t.codes)
	}
	if w != nil {
		c, err := d.Column(w.Group)
		if err != nil {
			return 0, err
		}
		keys = append(keys, c.AsFactor().Codes())
	}
	first := 0
	for i := range d.Kept {
		for _, k := range keys {
			if k[i] != k[first] {
				if k[i] < k[first] {
					first = i
				}
				break
			}
		}
	}
	return first, nil
}

// addTimes sorts each block by time and takes the distances.
func (s *shape) addTimes(d *stats.Design, w *Correlation) error {
	var time []float64
	if w.Time != "" {
		c, err := d.Column(w.Time)
		if err != nil {
			return err
		}
		if c.Kind() != stats.Numeric {
			return fmt.Errorf("the times %q are a factor", w.Time)
		}
		time = c.Floats()
	}
	for _, b := range s.blocks {
		gap := make([]float64, len(b))
		for i := range gap {
			gap[i] = 1
		}
		if time != nil {
			slices.SortStableFunc(b, func(i, j int32) int {
				switch {
				case time[i] < time[j]:
					return -1
				case time[i] > time[j]:
					return 1
				}
				return 0
			})
			for k := 1; k < len(b); k++ {
				gap[k] = time[b[k]] - time[b[k-1]]
				if gap[k] <= 0 && w.Kind != Symmetric {
					return fmt.Errorf("rows %d and %d: two rows of one group of %q at the same time %v", d.Kept[b[k-1]]+1, d.Kept[b[k]]+1, w.Group, time[b[k]])
				}
				if w.Kind == AR1 && gap[k] != math.Round(gap[k]) {
					return fmt.Errorf("row %d: AR1 needs times a whole number of steps apart; ContinuousAR1 takes any", d.Kept[b[k]]+1)
				}
			}
		}
		s.gaps = append(s.gaps, gap)
	}
	return nil
}

// start is independence, or for a continuous AR1 little correlation.
func (s *shape) start() []float64 {
	var rho []float64
	if s.within != nil {
		rho = append(rho, 0)
	}
	if len(s.strata) > 0 {
		rho = append(rho, make([]float64, len(s.strata)-1)...)
	}
	return rho
}

// correlation maps a free parameter to the range of the kind.
func (s *shape) correlation(u float64) float64 {
	switch s.within.Kind {
	case ContinuousAR1:
		return 1 / (1 + math.Exp(-u))
	case Symmetric:
		low := -1 / float64(s.longest-1)
		// u = 0 is independence whatever the largest group.
		return low + (1-low)/(1+math.Exp(-u)*(-1/low))
	}
	return math.Tanh(u)
}

// deviations returns the relative standard deviation of each stratum.
func (s *shape) deviations(rho []float64) []float64 {
	if s.within != nil {
		rho = rho[1:]
	}
	sd := make([]float64, len(s.strata))
	for i := range sd {
		sd[i] = 1
		if i != s.ref {
			sd[i], rho = math.Exp(rho[0]), rho[1:]
		}
	}
	return sd
}

// whiten returns R^-1/2 times the rows, and log|R|.
func (s *shape) whiten(base *rows, rho []float64) (*rows, float64, bool) {
	r := *base
	r.xy = slices.Clone(base.xy)
	r.z = make([][]float64, len(base.z))
	for t := range base.z {
		r.z[t] = slices.Clone(base.z[t])
	}
	logdet := 0.0
	if len(s.strata) > 0 {
		sd := s.deviations(rho)
		for i, k := range s.stratum {
			logdet += 2 * math.Log(sd[k])
			r.scale(i, 1/sd[k])
		}
	}
	if s.within != nil {
		c := s.correlation(rho[0])
		l, ok := s.decorrelate(&r, c)
		if !ok {
			return nil, 0, false
		}
		logdet += l
	}
	return &r, logdet, !math.IsNaN(logdet) && !math.IsInf(logdet, 0)
}

// each calls f for the parts of row i.
func (r *rows) each(i int, f func(all []float64, from, width int)) {
	f(r.xy, i*r.m, r.m)
	for t, q := range r.qs {
		f(r.z[t], i*q, q)
	}
}

func (r *rows) scale(i int, by float64) {
	r.each(i, func(all []float64, from, width int) {
		for k := from; k < from+width; k++ {
			all[k] *= by
		}
	})
}

func (s *shape) decorrelate(r *rows, c float64) (float64, bool) {
	logdet := 0.0
	for b, block := range s.blocks {
		if s.within.Kind == Symmetric {
			l, ok := r.uncompound(block, c)
			if !ok {
				return 0, false
			}
			logdet += l
			continue
		}
		// An AR1 is a Markov chain: each row less what the one before foretells.
		for k := len(block) - 1; k > 0; k-- {
			f := math.Pow(c, s.gaps[b][k])
			rest := 1 - f*f
			if !(rest > 0) {
				return 0, false
			}
			logdet += math.Log(rest)
			d := 1 / math.Sqrt(rest)
			before := int(block[k-1])
			now := int(block[k])
			r.each(now, func(all []float64, from, width int) {
				prev := before * width
				for j := range width {
					all[from+j] = (all[from+j] - f*all[prev+j]) * d
				}
			})
		}
	}
	return logdet, true
}

// uncompound removes one correlation between all rows of a block.
func (r *rows) uncompound(block []int32, c float64) (float64, bool) {
	k := float64(len(block))
	own, joint := 1-c, 1+(k-1)*c
	if !(own > 0) || !(joint > 0) {
		return 0, false
	}
	a, b := 1/math.Sqrt(own), 1/math.Sqrt(joint)
	r.each(int(block[0]), func(all []float64, _, width int) {
		for j := range width {
			mean := 0.0
			for _, i := range block {
				mean += all[int(i)*width+j]
			}
			mean /= k
			for _, i := range block {
				v := &all[int(i)*width+j]
				*v = (*v-mean)*a + mean*b
			}
		}
	})
	return (k-1)*math.Log(own) + math.Log(joint), true
}

func (s *shape) report(rho []float64, sigma float64) *Residual {
	r := &Residual{Strata: slices.Clone(s.strata)}
	if s.within != nil {
		r.Correlation = s.correlation(rho[0])
	}
	if len(s.strata) > 0 {
		r.Ratio = s.deviations(rho)
		for _, k := range r.Ratio {
			r.SD = append(r.SD, k*sigma)
		}
	}
	return r
}

// inverse is the free parameter i of a correlation or a ratio.
func (s *shape) inverse(i int, value float64) float64 {
	if s.within == nil || i > 0 {
		return math.Log(value)
	}
	switch s.within.Kind {
	case ContinuousAR1:
		return math.Log(value / (1 - value))
	case Symmetric:
		low := -1 / float64(s.longest-1)
		return math.Log((value - low) / (1 - value) / -low)
	}
	return math.Atanh(value)
}

// ends names what ended at the end of its range.
func (s *shape) ends(r *Residual) []string {
	var out []string
	if s.within != nil {
		low, high := -1.0, 1.0
		switch s.within.Kind {
		case ContinuousAR1:
			low = 0
		case Symmetric:
			low = -1 / float64(s.longest-1)
		}
		for _, end := range []float64{low, high} {
			if math.Abs(r.Correlation-end) < 1e-4*(high-low) {
				out = append(out, fmt.Sprintf("the correlation of the residuals in groups of %s went to %v, the end of its range", s.within.Group, end))
			}
		}
	}
	for i, k := range r.Ratio {
		if k < 1e-4 || k > 1e4 {
			out = append(out, fmt.Sprintf("the residual variance of %s and that of %s have nothing in common: one vanishes", s.strata[i], s.strata[s.ref]))
		}
	}
	return out
}
