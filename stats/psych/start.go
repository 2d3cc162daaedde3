// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// startValues proposes parameters from each group's covariances: the loadings of
// a factor are the first axis of its items' correlations, less what factors
// before it took.
func (l *layout) startValues(covs [][]float64, means [][]float64, taus [][][]float64) []float64 {
	theta := make([]float64, l.free)
	set := make([]bool, l.free)
	for g := range l.groups {
		v := l.guess(covs[g], g+1)
		for _, p := range l.params {
			if p.Group != g+1 || p.cell.free < 0 || set[p.cell.free] {
				continue
			}
			at := p.cell.free
			set[at] = true
			switch c := p.cell; c.kind {
			case arrow:
				theta[at] = v.loading[[2]int{c.i, c.j}]
			case spread:
				if c.i == c.j {
					theta[at] = v.variance[c.i]
				}
			case constant:
				if c.i < len(l.items) && means != nil {
					theta[at] = means[g][c.i]
				}
			case threshold:
				theta[at] = taus[g][c.i][c.j]
			case scaling:
				theta[at] = 1
			}
		}
	}
	return theta
}

// plainStart keeps means and thresholds of a start and makes the factors small and
// their loadings 1.
func (l *layout) plainStart(start []float64) []float64 {
	x := append([]float64(nil), start...)
	for _, p := range l.params {
		if p.cell.free < 0 {
			continue
		}
		at := p.cell.free
		switch {
		case p.Op == "=~" && !l.options.StdLV:
			x[at] = 1
		case p.Op == "=~":
			x[at] *= .5
		case p.Op == "~", p.Op == "~~" && p.LHS != p.RHS:
			x[at] = 0
		case p.Op == "~~" && p.cell.i >= len(l.items):
			x[at] = .05
		}
	}
	return x
}

type guesses struct {
	loading  map[[2]int]float64
	variance []float64
}

func (l *layout) guess(cov []float64, g int) guesses {
	p := len(l.items)
	v := guesses{loading: map[[2]int]float64{}, variance: make([]float64, p+len(l.factors))}
	sd := make([]float64, p)
	taken := make([]float64, p)
	rest := mat.NewSymDense(p, nil)
	for i := range p {
		sd[i] = math.Sqrt(cov[i*p+i])
		for j := range i + 1 {
			rest.SetSym(i, j, cov[i*p+j]/(sd[i]*math.Sqrt(cov[j*p+j])))
		}
	}
	for f := range l.factors {
		items, lower, marker, markerValue := l.measures(f, g)
		load := firstAxis(rest, items)
		for a, i := range items {
			for b, j := range items {
				if a < b {
					rest.SetSym(i, j, rest.At(i, j)-load[a]*load[b])
				}
			}
		}
		scale := 1.0
		if marker < 0 && len(load) > 0 && load[0] < 0 {
			// Without a marker the first item gives the direction.
			scale = -1
		}
		v.variance[p+f] = 1
		for a, i := range items {
			taken[i] += load[a] * load[a]
			if i == marker {
				scale = math.Copysign(max(math.Abs(load[a]), .2)*sd[i], load[a]) / markerValue
				v.variance[p+f] = scale * scale
			}
		}
		for a, i := range items {
			v.loading[[2]int{i, p + f}] = load[a] * sd[i] / scale
		}
		for _, i := range lower {
			if i == marker {
				v.variance[p+f] = v.variance[i] / 2
			}
		}
		for _, i := range lower {
			v.loading[[2]int{i, p + f}] = math.Sqrt(v.variance[i] / 2 / v.variance[p+f])
			v.variance[i] /= 2
		}
	}
	for i := range p {
		v.variance[i] = cov[i*p+i] * max(.2, 1-taken[i])
	}
	return v
}

// measures returns the items and the factors that a factor of a group stands
// behind, and which of them has a fixed loading, and what.
func (l *layout) measures(f, g int) (items, lower []int, marker int, markerValue float64) {
	marker, markerValue = -1, 1.0
	p := len(l.items)
	for _, q := range l.params {
		if q.Group != g || q.Op != "=~" || q.cell.j != p+f {
			continue
		}
		if q.cell.i < p {
			items = append(items, q.cell.i)
		} else {
			lower = append(lower, q.cell.i)
		}
		if q.cell.free < 0 && q.cell.value != 0 && marker < 0 {
			marker, markerValue = q.cell.i, q.cell.value
		}
	}
	return items, lower, marker, markerValue
}

// firstAxis returns loadings on the first axis of some rows of r, with the
// largest correlation of a row as its communality, between -.9 and .9.
func firstAxis(r *mat.SymDense, items []int) []float64 {
	n := len(items)
	if n == 0 {
		return nil
	}
	if n == 1 {
		return []float64{.7}
	}
	sub := mat.NewSymDense(n, nil)
	for a := range n {
		var most float64
		for b := range n {
			if a != b {
				c := r.At(items[a], items[b])
				most = max(most, math.Abs(c))
				sub.SetSym(a, b, c)
			}
		}
		sub.SetSym(a, a, most)
	}
	load := make([]float64, n)
	var eig mat.EigenSym
	if !eig.Factorize(sub, true) {
		return load
	}
	var u mat.Dense
	eig.VectorsTo(&u)
	root := math.Sqrt(max(eig.Values(nil)[n-1], .01))
	var sum float64
	for a := range n {
		load[a] = u.At(a, n-1) * root
		sum += load[a]
	}
	for a := range n {
		load[a] = max(-.9, min(.9, load[a]))
		if sum < 0 {
			load[a] = -load[a]
		}
	}
	return load
}
