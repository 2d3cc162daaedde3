// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// splitGroups returns the rows of each group, groups as Table says; without groups
// there is one.
func splitGroups(t *Table) (names []string, rows [][]int, err error) {
	n, k := t.X.Dims()
	if k != len(t.Names) {
		panic("psych: a table has a name for each column")
	}
	if t.Group == nil {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return []string{""}, [][]int{all}, nil
	}
	if len(t.Group) != n {
		panic("psych: a table has a group for each row, or none")
	}
	at := map[string]int{}
	for _, g := range t.Order {
		if _, twice := at[g]; !twice && slices.Contains(t.Group, g) {
			at[g] = len(names)
			names = append(names, g)
			rows = append(rows, nil)
		}
	}
	for i, g := range t.Group {
		j, ok := at[g]
		if !ok {
			j = len(names)
			at[g] = j
			names = append(names, g)
			rows = append(rows, nil)
		}
		rows[j] = append(rows[j], i)
	}
	return names, rows, nil
}

// mostInFactors keeps fourth powers of values, and sums of many, within what a
// number holds; so does its inverse at the other end.
const mostInFactors = 1e70

// selectRows copies columns of some rows; complete leaves out rows in which a
// value is missing, else only those in which all are.
func selectRows(t *Table, columns, rows []int, complete bool) (y *mat.Dense, omitted int, err error) {
	p := len(columns)
	data := make([]float64, 0, len(rows)*p)
	for _, i := range rows {
		missing := 0
		for _, j := range columns {
			v := t.X.At(i, j)
			if math.IsInf(v, 0) {
				return nil, 0, fmt.Errorf("row %d, column %s is infinite", i+1, t.Names[j])
			}
			if a := math.Abs(v); a > mostInFactors || a > 0 && a < 1/mostInFactors {
				return nil, 0, fmt.Errorf("row %d, column %s: %g is too large or too small for a factor model; give the column in another unit", i+1, t.Names[j], v)
			}
			if math.IsNaN(v) {
				missing++
			}
			data = append(data, v)
		}
		if missing == p || complete && missing > 0 {
			data = data[:len(data)-p]
			omitted++
		}
	}
	if len(data) == 0 {
		return nil, omitted, fmt.Errorf("no row has values for the model: %w", ErrNoData)
	}
	return mat.NewDense(len(data)/p, p, data), omitted, nil
}

// newSample summarises one group's rows by patterns of what is present.
func newSample(y *mat.Dense, names []string, group string) (*sample, error) {
	n, p := y.Dims()
	s := &sample{n: n, y: y}
	at := map[string]int{}
	key := make([]byte, p)
	for i := range n {
		for j, v := range y.RawRowView(i) {
			key[j] = '1'
			if math.IsNaN(v) {
				key[j] = '0'
			}
		}
		k, ok := at[string(key)]
		if !ok {
			k = len(s.patterns)
			at[string(key)] = k
			var obs []int
			for j, c := range key {
				if c == '1' {
					obs = append(obs, j)
				}
			}
			s.patterns = append(s.patterns, pattern{obs: obs})
		}
		s.patterns[k].rows = append(s.patterns[k].rows, i)
	}
	in := ""
	if group != "" {
		in = " in group " + group
	}
	for j := range p {
		if _, sd, count := columnMoments(y, j); count < 2 || !(sd > 0) {
			return nil, fmt.Errorf("%s has no variance%s", names[j], in)
		}
	}
	for k := range s.patterns {
		s.patterns[k].summarise(y)
	}
	if len(s.patterns) == 1 {
		s.mean, s.cov = s.patterns[0].mean, s.patterns[0].cov
		test := append([]float64(nil), s.cov...)
		unitDiagonal(test, p)
		if _, ok := cholesky(test, p); !ok {
			return nil, fmt.Errorf("the covariances of the %d items are singular%s, with %d rows: is an item a sum of others?", p, in, n)
		}
	}
	return s, nil
}

func unitDiagonal(a []float64, p int) {
	d := make([]float64, p)
	for i := range p {
		d[i] = math.Sqrt(a[i*p+i])
	}
	for i := range p {
		for j := range p {
			a[i*p+j] /= d[i] * d[j]
		}
	}
}

func (pat *pattern) summarise(y *mat.Dense) {
	po := len(pat.obs)
	pat.n = len(pat.rows)
	pat.mean, pat.cov = make([]float64, po), make([]float64, po*po)
	for _, i := range pat.rows {
		row := y.RawRowView(i)
		for a, j := range pat.obs {
			pat.mean[a] += row[j]
		}
	}
	for a := range po {
		pat.mean[a] /= float64(pat.n)
	}
	d := make([]float64, po)
	for _, i := range pat.rows {
		row := y.RawRowView(i)
		for a, j := range pat.obs {
			d[a] = row[j] - pat.mean[a]
		}
		for a, u := range d {
			for b := a; b < po; b++ {
				pat.cov[a*po+b] += u * d[b]
			}
		}
	}
	for a := range po {
		for b := a; b < po; b++ {
			v := pat.cov[a*po+b] / float64(pat.n)
			pat.cov[a*po+b], pat.cov[b*po+a] = v, v
		}
	}
}
