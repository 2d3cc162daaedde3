// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// mostLevels is how many variances one model may have; science has seen three.
const mostLevels = 6

// partition is the groups of one level: the group of each row, by number.
type partition struct {
	name   string
	group  []int
	groups int
}

// partitions numbers the groups of each level; the same label in two groups of
// an outer level is two groups.
func partitions(k int, levels []Level) ([]partition, error) {
	type key struct {
		outer int
		label string
	}
	out := make([]partition, 0, len(levels))
	outer := make([]int, k)
	for l, level := range levels {
		if level.Group == nil {
			p := eachRow(level.Name, k)
			if err := separable(p, out, levels, l); err != nil {
				return nil, err
			}
			out, outer = append(out, p), p.group
			continue
		}
		if len(level.Group) != k {
			return nil, &DataError{Column: level.Name, Reason: fmt.Sprintf("%d labels for %d effect sizes", len(level.Group), k)}
		}
		numbers := make(map[key]int)
		p := partition{name: level.Name, group: make([]int, k)}
		for i, label := range level.Group {
			if label == "" {
				return nil, &DataError{Row: i + 1, Column: level.Name, Reason: "has no label"}
			}
			id := key{outer[i], label}
			number, ok := numbers[id]
			if !ok {
				number = len(numbers)
				numbers[id] = number
			}
			p.group[i] = number
		}
		p.groups = len(numbers)
		if err := separable(p, out, levels, l); err != nil {
			return nil, err
		}
		outer = p.group
		out = append(out, p)
	}
	return out, nil
}

// eachRow has a group for each row.
func eachRow(name string, k int) partition {
	p := partition{name: name, group: make([]int, k), groups: k}
	for i := range k {
		p.group[i] = i
	}
	return p
}

// separable refuses a level whose variance the likelihood cannot tell from
// something else. Groups are nested, so as many groups are the same groups.
func separable(p partition, outer []partition, levels []Level, l int) error {
	if levels[l].Fixed != nil {
		return nil
	}
	if p.groups == 1 {
		return &DataError{Column: p.name, Reason: "has a single group, so its variance cannot be told from the average"}
	}
	for i, o := range outer {
		if o.groups == p.groups && levels[i].Fixed == nil {
			return &DataError{Column: p.name, Reason: "has the same groups as " + o.name + ", so their variances cannot be told apart"}
		}
	}
	return nil
}

// newForest sorts the rows and lays the levels out. Variances are scaled as
// those of a sample.
func newForest(d MultilevelData) (*forest, []partition, error) {
	if err := d.check(); err != nil {
		return nil, nil, err
	}
	m, err := newDesign(d.Data)
	if err != nil {
		return nil, nil, err
	}
	if m.k == m.p {
		return nil, nil, &DataError{Reason: "as many coefficients as effect sizes: no variance can be estimated"}
	}
	if len(d.Levels) == 0 || len(d.Levels) > mostLevels {
		return nil, nil, &DataError{Reason: fmt.Sprintf("%d levels of grouping; a model has 1 to %d", len(d.Levels), mostLevels)}
	}
	parts, err := partitions(m.k, d.Levels)
	if err != nil {
		return nil, nil, err
	}
	f := &forest{design: m, row: -1, shift: shiftOf(d.V), order: make([]int, m.k)}
	for i := range f.order {
		f.order[i] = i
	}
	slices.SortStableFunc(f.order, func(a, b int) int {
		for _, p := range parts {
			if c := p.group[a] - p.group[b]; c != 0 {
				return c
			}
		}
		return 0
	})
	within, err := d.within(parts)
	if err != nil {
		return nil, nil, err
	}
	f.addLevels(d, parts, within)
	if err := f.fill(d, parts, within); err != nil {
		return nil, nil, err
	}
	return f, parts, nil
}

// within is the index of the level inside which sampling errors are
// correlated, -1 when they are independent.
func (d MultilevelData) within(parts []partition) (int, error) {
	if d.Correlated == nil {
		return -1, nil
	}
	c := d.Correlated
	index := slices.IndexFunc(parts, func(p partition) bool { return p.name == c.Within })
	if index < 0 {
		return 0, &DataError{Column: c.Within, Reason: "is not one of the levels, so sampling errors cannot be correlated within it"}
	}
	if c.Covariance == nil {
		if !(c.Rho > -1 && c.Rho < 1) {
			return 0, &DataError{Column: "rho", Reason: fmt.Sprintf("is %v, which is not a correlation below 1", c.Rho)}
		}
		return index, nil
	}
	for _, p := range parts[index+1:] {
		if p.groups < len(p.group) {
			return 0, &DataError{Column: p.name, Reason: "groups rows inside " + c.Within + ", where a general covariance of sampling errors is given; only a constant correlation can be combined with that"}
		}
	}
	return index, nil
}

// constantRho is true when the correlation is one number.
func (d MultilevelData) constantRho() bool {
	return d.Correlated != nil && d.Correlated.Covariance == nil
}

// addLevels makes the innermost level the rows' own when it has a group for
// each row, and says after which positions groups end.
func (f *forest) addLevels(d MultilevelData, parts []partition, within int) {
	f.columns = 1 + f.p + 1
	one := 0
	if d.constantRho() {
		f.columns++
	}
	var ends []partition
	for l, p := range parts {
		if p.groups == f.k && l == len(parts)-1 {
			f.row = l
		} else {
			f.levels = append(f.levels, treeLevel{column: one, component: l})
			ends = append(ends, p)
		}
		if l == within && d.constantRho() {
			f.levels = append(f.levels, treeLevel{column: 1, component: -1, factor: d.Correlated.Rho})
			ends = append(ends, p)
		}
	}
	f.closes = make([]int, f.k)
	for i := range f.k {
		for l := len(ends) - 1; l >= 0; l-- {
			group := ends[l].group
			if i < f.k-1 && group[f.order[i]] == group[f.order[i+1]] {
				break
			}
			f.closes[i]++
		}
	}
}

// fill writes the columns and the diagonal.
func (f *forest) fill(d MultilevelData, parts []partition, within int) error {
	c := f.columns
	f.z, f.d = make([]float64, f.k*c), make([]float64, f.k)
	for i, row := range f.order {
		z := f.z[i*c : i*c+c]
		v := math.Ldexp(d.V[row], 2*f.shift)
		z[0], f.d[i] = 1, v
		if d.constantRho() {
			z[1], f.d[i] = math.Sqrt(v), v*(1-d.Correlated.Rho)
		}
		copy(z[c-f.p-1:], f.q[row*f.p:row*f.p+f.p])
		z[c-1] = math.Ldexp(d.Y[row], f.shift)
		if math.Abs(z[c-1]) > 1e60 {
			return &DataError{Row: row + 1, Column: "effect size", Reason: "is more than 1e60 standard errors from zero"}
		}
	}
	if within < 0 {
		return nil
	}
	if d.constantRho() {
		return f.checkRho(d, parts[within])
	}
	return f.rotate(d, parts[within])
}

// checkRho refuses a negative correlation that so many rows cannot have.
func (f *forest) checkRho(d MultilevelData, p partition) error {
	size := make([]int, p.groups)
	for _, g := range p.group {
		size[g]++
	}
	if n := slices.Max(size); d.Correlated.Rho <= -1/float64(max(1, n-1)) {
		return &DataError{Column: "rho", Reason: fmt.Sprintf("is %v, which %d effects of one group cannot all have", d.Correlated.Rho, n)}
	}
	return nil
}

// rotate makes the rows of each group independent: with V = U diag(d) U' the
// columns of z become U'z. What a component adds to every row, a multiple of
// the identity, stays one.
func (f *forest) rotate(d MultilevelData, p partition) error {
	for from := 0; from < f.k; {
		to := from + 1
		for to < f.k && p.group[f.order[to]] == p.group[f.order[from]] {
			to++
		}
		if to-from > 1 {
			if err := f.rotateGroup(d, from, to); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

func (f *forest) rotateGroup(d MultilevelData, from, to int) error {
	rows := f.order[from:to]
	v := samplingBlock(d, rows, f.shift)
	for i := range len(rows) {
		for j := range i {
			if x := v.At(i, j); math.IsNaN(x) || math.IsInf(x, 0) {
				return &DataError{Row: rows[i] + 1, Column: "covariance", Reason: fmt.Sprintf("with row %d is not a finite number", rows[j]+1)}
			}
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(v, true) {
		return &DataError{Row: rows[0] + 1, Column: "covariance", Reason: "of its group cannot be decomposed"}
	}
	values := eigen.Values(nil)
	if values[0] <= 1e-12*values[len(values)-1] {
		return &DataError{Row: rows[0] + 1, Column: "covariance", Reason: "of its group is not positive definite"}
	}
	var u, rotated mat.Dense
	eigen.VectorsTo(&u)
	block := mat.NewDense(to-from, f.columns, f.z[from*f.columns:to*f.columns])
	rotated.Mul(u.T(), block)
	block.Copy(&rotated)
	copy(f.d[from:to], values)
	return nil
}

// samplingBlock is the sampling covariance of rows that are all of one group
// of the level within which errors are correlated.
func samplingBlock(d MultilevelData, rows []int, shift int) *mat.SymDense {
	v := mat.NewSymDense(len(rows), nil)
	for i, a := range rows {
		v.SetSym(i, i, math.Ldexp(d.V[a], 2*shift))
		for j, b := range rows[:i] {
			v.SetSym(i, j, math.Ldexp(d.Correlated.covariance(d.V, a, b), 2*shift))
		}
	}
	return v
}
