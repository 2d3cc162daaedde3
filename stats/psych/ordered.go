// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// mostLevels is how many values an ordered item may have: more are a measurement.
const mostLevels = 50

// ordered is one group's answers as positions of levels, without missing values.
type ordered struct {
	n, p   int
	code   [][]int // by item, then person
	levels [][]float64
	tau    [][]float64 // thresholds by item: normal quantiles of cumulative shares
	counts [][]float64 // by item and level
}

// levelsOf returns the values that each column takes in any of the tables.
func levelsOf(ys []*mat.Dense, names []string) ([][]float64, error) {
	_, p := ys[0].Dims()
	out := make([][]float64, p)
	for j := range p {
		seen := map[float64]bool{}
		for _, y := range ys {
			n, _ := y.Dims()
			for i := range n {
				if v := y.At(i, j); v == v {
					seen[v] = true
				}
			}
			if len(seen) > mostLevels {
				return nil, fmt.Errorf("%s has more than %d values: it is no ordered item", names[j], mostLevels)
			}
		}
		for v := range seen {
			out[j] = append(out[j], v)
		}
		slices.Sort(out[j])
		if len(out[j]) < 2 {
			return nil, fmt.Errorf("%s is constant", names[j])
		}
	}
	return out, nil
}

// newOrdered codes one group's table. Each level must occur in it.
func newOrdered(y *mat.Dense, levels [][]float64, names []string, group string) (*ordered, error) {
	n, p := y.Dims()
	o := &ordered{n: n, p: p, levels: levels}
	for j := range p {
		code, counts := make([]int, n), make([]float64, len(levels[j]))
		for i := range n {
			k, _ := slices.BinarySearch(levels[j], y.At(i, j))
			code[i] = k
			counts[k]++
		}
		tau := make([]float64, len(levels[j])-1)
		var cum float64
		for k, c := range counts {
			if c == 0 {
				in := ""
				if group != "" {
					in = " in group " + group
				}
				return nil, fmt.Errorf("%s is never %v%s: join it with a neighbouring level", names[j], levels[j][k], in)
			}
			cum += c
			if k < len(tau) {
				tau[k] = distuv.UnitNormal.Quantile(cum / float64(n))
			}
		}
		o.code, o.tau, o.counts = append(o.code, code), append(o.tau, tau), append(o.counts, counts)
	}
	return o, nil
}

// crosstab counts the answers to two items, rows those to the first.
func (o *ordered) crosstab(i, j int) *mat.Dense {
	t := mat.NewDense(len(o.levels[i]), len(o.levels[j]), nil)
	raw := t.RawMatrix()
	a, b := o.code[i], o.code[j]
	for k := range a {
		raw.Data[a[k]*raw.Stride+b[k]]++
	}
	return t
}

// thresholdCount is the number of all items' thresholds.
func (o *ordered) thresholdCount() int {
	var n int
	for _, t := range o.tau {
		n += len(t)
	}
	return n
}

// normalDensity is that of mean 0 and variance 1.
func normalDensity(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
