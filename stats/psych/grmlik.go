// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// gradedLik is minus the mean marginal log likelihood by each item's A and D.
type gradedLik struct {
	grid   grid
	levels [][]float64
	first  []int // of each item's parameters
	free   int
	rows   [][]int // distinct answers as positions of levels, -1 missing
	count  []float64
	total  float64
	// By item, level and point: log probability, its derivatives by the predictors
	// of the lower and the upper bound.
	logP, lower, upper [][][]float64
	post               []float64
}

func newGradedLik(x *mat.Dense, levels [][]float64, g grid) *gradedLik {
	n, p := x.Dims()
	l := &gradedLik{grid: g, levels: levels, post: make([]float64, len(g.theta))}
	for j := range p {
		l.first = append(l.first, l.free)
		l.free += len(levels[j])
		table := func() [][]float64 {
			t := make([][]float64, len(levels[j]))
			for c := range t {
				t[c] = make([]float64, len(g.theta))
			}
			return t
		}
		l.logP, l.lower, l.upper = append(l.logP, table()), append(l.lower, table()), append(l.upper, table())
	}
	at := map[string]int{}
	key := make([]byte, p)
	for i := range n {
		row := make([]int, p)
		any := false
		for j := range p {
			row[j] = -1
			if v := x.At(i, j); v == v {
				row[j], _ = slices.BinarySearch(levels[j], v)
				any = true
			}
			key[j] = byte(row[j] + 1)
		}
		if !any {
			continue
		}
		l.total++
		if k, ok := at[string(key)]; ok {
			l.count[k]++
			continue
		}
		at[string(key)] = len(l.rows)
		l.rows = append(l.rows, row)
		l.count = append(l.count, 1)
	}
	return l
}

// start takes D from the margins and A from each item's correlation with the sum
// of the others.
func (l *gradedLik) start() []float64 {
	theta := make([]float64, l.free)
	for j, at := range l.first {
		counts := make([]float64, len(l.levels[j]))
		var n float64
		for i, r := range l.rows {
			if r[j] >= 0 {
				counts[r[j]] += l.count[i]
				n += l.count[i]
			}
		}
		theta[at] = 1.2 * l.direction(j)
		above := n
		for c := 1; c < len(counts); c++ {
			above -= counts[c-1]
			p := (above + .5) / (n + 1)
			theta[at+c] = 1.3 * math.Log(p/(1-p))
			if c > 1 {
				theta[at+c] = math.Min(theta[at+c], theta[at+c-1]-.05)
			}
		}
	}
	return theta
}

// direction is the sign of an item's covariance with the sum of the others.
func (l *gradedLik) direction(j int) float64 {
	var n, a, b, ab float64
	for i, r := range l.rows {
		if r[j] < 0 {
			continue
		}
		var rest, k float64
		for m, c := range r {
			if m != j && c >= 0 {
				rest += float64(c) / float64(len(l.levels[m])-1)
				k++
			}
		}
		if k == 0 {
			continue
		}
		w, v := l.count[i], float64(r[j])
		n += w
		a += w * v
		b += w * rest / k
		ab += w * v * rest / k
	}
	if n > 0 && ab/n < a/n*b/n {
		return -1
	}
	return 1
}

// orient turns the trait so that the sum of all A is positive.
func (l *gradedLik) orient(theta []float64) {
	var sum float64
	for _, at := range l.first {
		sum += theta[at]
	}
	if sum >= 0 {
		return
	}
	for _, at := range l.first {
		theta[at] = -theta[at]
	}
}

// fill computes the tables; not ok if some D do not fall.
func (l *gradedLik) fill(theta []float64) bool {
	for j, at := range l.first {
		k := len(l.levels[j]) - 1
		a, d := theta[at], theta[at+1:at+1+k]
		for c := 1; c < k; c++ {
			if !(d[c] < d[c-1]) {
				return false
			}
		}
		if math.IsNaN(a) || math.Abs(a) > 1e3 {
			return false
		}
		for c := range k + 1 {
			for q, t := range l.grid.theta {
				p, lo, up := step(a, d, c, t)
				l.logP[j][c][q], l.lower[j][c][q], l.upper[j][c][q] = math.Log(p), lo, up
			}
		}
	}
	return true
}

// posterior fills post for one row and returns its log likelihood.
func (l *gradedLik) posterior(row []int) float64 {
	clear(l.post)
	for j, c := range row {
		if c >= 0 {
			for q, v := range l.logP[j][c] {
				l.post[q] += v
			}
		}
	}
	most := slices.Max(l.post)
	var sum float64
	for q, w := range l.grid.weight {
		v := l.post[q] - most
		if v < -80 {
			l.post[q] = 0
			continue
		}
		l.post[q] = math.Exp(v) * w
		sum += l.post[q]
	}
	for q := range l.post {
		l.post[q] /= sum
	}
	return most + math.Log(sum)
}

func (l *gradedLik) objective(theta []float64) (float64, bool) {
	if !l.fill(theta) {
		return 0, false
	}
	var f float64
	for i, r := range l.rows {
		f -= l.count[i] * l.posterior(r)
	}
	return f / l.total, true
}

// place is where a score of one person stands: a parameter and its values over
// the points.
type place struct {
	at    int
	score []float64
}

// places lists the scores that are not zero for one row: each item's A, and the
// D of the bounds of the level chosen.
func (l *gradedLik) places(row []int, room [][]float64) []place {
	out := make([]place, 0, 3*len(row))
	for j, c := range row {
		if c < 0 {
			continue
		}
		lo, up := l.lower[j][c], l.upper[j][c]
		s := room[j]
		for q, t := range l.grid.theta {
			s[q] = t * (lo[q] + up[q])
		}
		out = append(out, place{l.first[j], s})
		if c > 0 {
			out = append(out, place{l.first[j] + c, lo})
		}
		if c < len(l.levels[j])-1 {
			out = append(out, place{l.first[j] + c + 1, up})
		}
	}
	return out
}

// derivatives takes the products of persons' gradients for the expected
// information, and Louis's identity for the observed: the mean over the posterior
// of the complete-data information less the variance of the complete-data score.
func (l *gradedLik) derivatives(theta []float64, kind information) (f float64, grad []float64, h *mat.SymDense, ok bool) {
	if !l.fill(theta) {
		return 0, nil, nil, false
	}
	grad = make([]float64, l.free)
	sum := mat.NewSymDense(l.free, nil)
	raw := sum.RawSymmetric()
	add := func(i, j int, v float64) { raw.Data[min(i, j)*raw.Stride+max(i, j)] += v }
	room := make([][]float64, len(l.first))
	for j := range room {
		room[j] = make([]float64, len(l.grid.theta))
	}
	var expect [][][]float64
	if kind == observed {
		expect = l.zeroCounts()
	}
	for i, r := range l.rows {
		f -= l.count[i] * l.posterior(r)
		places := l.places(r, room)
		means := make([]float64, len(places))
		for k, p := range places {
			for q, w := range l.post {
				means[k] += w * p.score[q]
			}
			grad[p.at] -= l.count[i] * means[k]
		}
		for k, p := range places {
			for m := range k + 1 {
				v := means[k] * means[m]
				if kind == observed {
					for q, w := range l.post {
						v -= w * p.score[q] * places[m].score[q]
					}
				}
				add(p.at, places[m].at, l.count[i]*v)
			}
		}
		if kind == observed {
			for j, c := range r {
				if c >= 0 {
					for q, w := range l.post {
						expect[j][c][q] += l.count[i] * w
					}
				}
			}
		}
	}
	if kind == observed {
		l.complete(expect, theta, add)
	}
	for i := range grad {
		grad[i] /= l.total
	}
	sum.ScaleSym(1/l.total, sum)
	return f / l.total, grad, sum, true
}

func (l *gradedLik) zeroCounts() [][][]float64 {
	out := make([][][]float64, len(l.first))
	for j := range out {
		out[j] = make([][]float64, len(l.levels[j]))
		for c := range out[j] {
			out[j][c] = make([]float64, len(l.grid.theta))
		}
	}
	return out
}

// complete adds the complete-data information, which joins no two items.
func (l *gradedLik) complete(expect [][][]float64, theta []float64, add func(i, j int, v float64)) {
	for j, at := range l.first {
		k := len(l.levels[j]) - 1
		a, d := theta[at], theta[at+1:at+1+k]
		for c := range k + 1 {
			var ll, uu, lu [3]float64 // sums of n h theta^0, theta^1, theta^2
			for q, t := range l.grid.theta {
				n := expect[j][c][q]
				if n == 0 {
					continue
				}
				lo, up := l.lower[j][c][q], l.upper[j][c][q]
				var hl, hu float64
				if c > 0 {
					hl = lo*(1-2*logistic(a*t+d[c-1])) - lo*lo
				}
				if c < k {
					hu = up*(1-2*logistic(a*t+d[c])) - up*up
				}
				hx := -lo * up
				w := n
				for e := range 3 {
					ll[e] -= w * hl
					uu[e] -= w * hu
					lu[e] -= w * hx
					w *= t
				}
			}
			add(at, at, ll[2]+uu[2]+2*lu[2])
			if c > 0 {
				add(at, at+c, ll[1]+lu[1])
				add(at+c, at+c, ll[0])
			}
			if c < k {
				add(at, at+c+1, uu[1]+lu[1])
				add(at+c+1, at+c+1, uu[0])
			}
			if c > 0 && c < k {
				add(at+c, at+c+1, lu[0])
			}
		}
	}
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
