// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import "math"

// forest is the data of a model with nested variance components, sorted so
// that the rows of a group stand together. The covariance of the rows,
//
//	M = diag(d) + sum over levels of c_l sum over groups of u_g u_g',
//
// is a diagonal with one rank-one change for each group; u_g is a column of z
// in the rows of the group and 0 elsewhere. Nesting makes it possible to apply
// the changes from the leaves up, so that z'M^-1 z and log |M| cost time linear
// in rows (the Sherman-Morrison formula, group by group).
type forest struct {
	*design
	order []int // order[i] is the row of the data at position i
	// z has a row for each position: the columns u, then Q, then y.
	z       []float64
	columns int
	d       []float64
	// levels are those of groups, outermost first; closes[i] is how many of the
	// innermost of them end with position i.
	levels []treeLevel
	closes []int
	// row is the component that adds to d in every row, -1 for none.
	row   int
	shift int
}

// treeLevel is one level of rank-one changes.
type treeLevel struct {
	column    int     // of z
	component int     // whose variance is the factor, or -1
	factor    float64 // the factor when component is -1
}

// component is a variance as an evaluation sees it: its value, and its index
// among the parameters that are differentiated, or -1.
type component struct {
	value     float64
	parameter int
}

// pass is the result of one walk: jets of z'M^-1 z, column by column of the
// lower triangle, and of log |M|.
type pass struct {
	jets
	columns int
	gram    []float64
	logDet  []float64
}

// cell is the jet of entry (a, b) of the gram matrix.
func (w *pass) cell(gram []float64, a, b int) []float64 {
	if a < b {
		a, b = b, a
	}
	m := w.size()
	at := (a*(a+1)/2 + b) * m
	return gram[at : at+m]
}

// walk visits each row once and each group once.
func (f *forest) walk(components []component, j jets) *pass {
	c, m := f.columns, j.size()
	width := c * (c + 1) / 2 * m
	w := &pass{jets: j, columns: c, logDet: make([]float64, m)}
	sums := make([]float64, (len(f.levels)+1)*width)
	w.gram = sums[:width]
	scratch := make([]float64, (c+4)*m)
	leaf := f.leaf(components, j)
	for i := range f.d {
		inner := sums[len(f.levels)*width:]
		leaf.add(w, inner, f.z[i*c:i*c+c], f.d[i])
		for n := range f.closes[i] {
			l := len(f.levels) - n
			own, parent := sums[l*width:(l+1)*width], sums[(l-1)*width:l*width]
			w.group(own, f.levels[l-1], components, scratch)
			for t, x := range own {
				parent[t] += x
				own[t] = 0
			}
		}
	}
	leaf.finish(w)
	return w
}

// leaves adds rows: the inverse of d plus the row's component, and its
// derivatives in that component alone.
type leaves struct {
	value         float64
	first, second int // indices in a jet, 0 when not differentiated
	product       float64
	inverse       [2]float64 // sums of 1/(d+s) and -1/(d+s)²
}

func (f *forest) leaf(components []component, j jets) *leaves {
	l := &leaves{product: 1}
	if f.row >= 0 {
		l.value = components[f.row].value
		if p := components[f.row].parameter; p >= 0 {
			l.first, l.second = 1+p, j.second(p, p)
		}
	}
	return l
}

func (l *leaves) add(w *pass, sums, z []float64, d float64) {
	t := d + l.value
	r := 1 / t
	m := w.size()
	at := 0
	for a, za := range z {
		for _, zb := range z[:a+1] {
			x := za * zb * r
			sums[at] += x
			if l.first > 0 {
				x *= r
				sums[at+l.first] -= x
				sums[at+l.second] += 2 * x * r
			}
			at += m
		}
	}
	l.inverse[0] += r
	l.inverse[1] -= r * r
	l.product *= t
	if l.product > 1e150 || l.product < 1e-150 {
		w.logDet[0] += math.Log(l.product)
		l.product = 1
	}
}

func (l *leaves) finish(w *pass) {
	w.logDet[0] += math.Log(l.product)
	if l.first > 0 {
		w.logDet[l.first] += l.inverse[0]
		w.logDet[l.second] += l.inverse[1]
	}
}

// group applies the rank-one change of a group to its sums: with g the column
// of u and h = u'M^-1 u, the gram matrix loses c/(1+ch) gg' and the
// determinant is multiplied by 1+ch.
func (w *pass) group(sums []float64, level treeLevel, components []component, scratch []float64) {
	m := w.size()
	factor, t := scratch[:m], scratch[m:2*m]
	clear(factor)
	factor[0] = level.factor
	if level.component >= 0 {
		component := components[level.component]
		factor[0] = component.value
		if component.parameter >= 0 {
			factor[1+component.parameter] = 1
		}
	}
	if factor[0] == 0 && (level.component < 0 || components[level.component].parameter < 0) {
		return
	}
	w.mul(factor, w.cell(sums, level.column, level.column), t)
	t[0]++
	w.addLog(t, w.logDet)
	inverse, scale := scratch[2*m:3*m], scratch[3*m:4*m]
	w.inv(t, inverse)
	w.mul(factor, inverse, scale)
	w.sweep(sums, level.column, scale, scratch[4*m:])
}

// sweep subtracts scale * g g' from the gram matrix, g its column.
func (w *pass) sweep(sums []float64, column int, scale, scratch []float64) {
	c, m := w.columns, w.size()
	var buffer [2][32]float64
	left, change := buffer[0][:m], buffer[1][:m]
	g := scratch[:c*m]
	for a := range c {
		copy(g[a*m:a*m+m], w.cell(sums, a, column))
	}
	at := 0
	for a := range c {
		w.mul(scale, g[a*m:a*m+m], left)
		for b := range a + 1 {
			w.mul(left, g[b*m:b*m+m], change)
			for i, x := range change {
				sums[at+i] -= x
			}
			at += m
		}
	}
}

// likelihoodJets is what a pass says of the model: jets of log |M|, of log |Q'M^-1Q|
// and of the residual sum of squares, with the coefficients of Q.
type likelihoodJets struct {
	jets
	logDetV, logDetM, rss []float64
	gamma, cov            []float64
}

// solve sweeps the columns of Q out of y.
func (f *forest) solve(w *pass) (likelihoodJets, bool) {
	m, p := w.size(), f.p
	firstQ := w.columns - p - 1
	out := likelihoodJets{jets: w.jets, logDetV: w.logDet, logDetM: make([]float64, m)}
	out.gamma, out.cov = make([]float64, p), make([]float64, p*p)
	a, b := make([]float64, p*p), make([]float64, p)
	for i := range p {
		b[i] = w.cell(w.gram, w.columns-1, firstQ+i)[0]
		for l := range p {
			a[i*p+l] = w.cell(w.gram, firstQ+i, firstQ+l)[0]
		}
	}
	if math.IsNaN(invertSPD(a, out.cov, p)) || math.IsNaN(w.logDet[0]) {
		return out, false
	}
	matVec(out.cov, b, out.gamma, p)
	scratch, inverse := make([]float64, w.columns*m), make([]float64, m)
	for i := range p {
		pivot := w.cell(w.gram, firstQ+i, firstQ+i)
		w.addLog(pivot, out.logDetM)
		w.inv(pivot, inverse)
		w.sweep(w.gram, firstQ+i, inverse, scratch)
	}
	out.rss = w.cell(w.gram, w.columns-1, w.columns-1)
	return out, true
}
