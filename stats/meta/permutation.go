// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// PermutationOptions of a permutation test.
type PermutationOptions struct {
	// Exact goes through every distinct arrangement, however many there are.
	Exact bool
	// Iterations is how many arrangements are drawn, the observed one among
	// them; 0 means 1000. When there are no more distinct ones, the test is exact.
	Iterations int
	// Seed of the random arrangements; the same seed gives the same result.
	Seed uint64
}

// Permutation is a test of coefficients that does not rest on normality.
type Permutation struct {
	// P values of the coefficients, two-sided, in the order of the model, and of
	// the test of all moderators.
	P   []float64
	QMP float64
	// Exact: all arrangements were gone through.
	Exact      bool
	Iterations int
}

// PermutationTest rearranges the moderators over the studies (without
// moderators: changes the signs of the effects) and counts how often a
// statistic is at least as far from 0 as the observed one: Higgins and Thompson
// (2004), doi 10.1002/sim.1752; Follmann and Proschan (1999). metafor's
// permutest. Cancelling the context ends it with the context's error.
func PermutationTest(ctx context.Context, d Data, o Options, po PermutationOptions) (*Permutation, error) {
	observed, err := Fit(d, o)
	if err != nil {
		return nil, err
	}
	if observed.K == observed.P {
		return nil, &DataError{Reason: "as many coefficients as studies: nothing can be permuted"}
	}
	if po.Iterations <= 0 {
		po.Iterations = 1000
	}
	t := &permuter{observed: observed, rng: rand.New(rand.NewPCG(po.Seed, 0x9e3779b97f4a7c15))} //nolint:gosec // a statistical test, not a secret
	t.prepare()
	out := &Permutation{P: make([]float64, observed.P)}
	out.Exact = po.Exact || t.arrangements() <= float64(po.Iterations)
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t.count(out)
		out.Iterations++
		if out.Exact {
			more = t.next()
		} else {
			t.shuffle()
			more = out.Iterations < po.Iterations
		}
	}
	for i := range out.P {
		out.P[i] /= float64(out.Iterations)
	}
	out.QMP /= float64(out.Iterations)
	return out, nil
}

// permuter holds one arrangement. With an intercept alone it is a sign for each
// study; else it says whose moderators each study has. Permuting the rows of X
// permutes those of Q and leaves R as it is.
type permuter struct {
	observed *Result
	rng      *rand.Rand
	signs    bool
	q, y     []float64 // as observed
	kind     []int     // equal for equal rows of X
	sorted   []int     // the first arrangement in the order of next
	at       []int     // the arrangement: signs as 0 and 1, else kinds by position
	first    []int     // a row of each kind
}

func (t *permuter) prepare() {
	s := t.observed.s
	t.signs = s.p == 1 && len(t.observed.data.Moderators) == 0
	t.q, t.y = slices.Clone(s.q), slices.Clone(s.y)
	if t.signs {
		t.at = make([]int, s.k)
		return
	}
	t.kind = make([]int, s.k)
	for i := range s.k {
		t.kind[i] = -1
		for kind, row := range t.first {
			if slices.Equal(t.observed.data.row(i), t.observed.data.row(row)) {
				t.kind[i] = kind
			}
		}
		if t.kind[i] < 0 {
			t.kind[i] = len(t.first)
			t.first = append(t.first, i)
		}
	}
	t.at = slices.Clone(t.kind)
	t.sorted = slices.Sorted(slices.Values(t.kind))
}

// arrangements is how many distinct ones there are.
func (t *permuter) arrangements() float64 {
	if t.signs {
		return math.Exp2(float64(len(t.at)))
	}
	count := make([]int, len(t.first))
	log, _ := math.Lgamma(float64(len(t.at)) + 1)
	for _, kind := range t.kind {
		count[kind]++
	}
	for _, n := range count {
		l, _ := math.Lgamma(float64(n) + 1)
		log -= l
	}
	return math.Round(math.Exp(log))
}

// next goes to the following arrangement, over all of them from the observed
// one on and around; false when it is back there.
func (t *permuter) next() bool {
	if t.signs {
		for i := range t.at {
			t.at[i] = 1 - t.at[i]
			if t.at[i] == 1 {
				return true
			}
		}
		return false
	}
	if !nextPermutation(t.at) {
		copy(t.at, t.sorted)
	}
	return !slices.Equal(t.at, t.kind)
}

// nextPermutation in lexicographic order, of a multiset.
func nextPermutation(x []int) bool {
	i := len(x) - 2
	for i >= 0 && x[i] >= x[i+1] {
		i--
	}
	if i < 0 {
		return false
	}
	j := len(x) - 1
	for x[j] <= x[i] {
		j--
	}
	x[i], x[j] = x[j], x[i]
	slices.Reverse(x[i+1:])
	return true
}

func (t *permuter) shuffle() {
	if t.signs {
		for i := range t.at {
			t.at[i] = t.rng.IntN(2)
		}
		return
	}
	t.rng.Shuffle(len(t.at), func(i, j int) { t.at[i], t.at[j] = t.at[j], t.at[i] })
}

// count refits the arrangement and adds to the counts of what is at least as
// extreme, with room for rounding.
func (t *permuter) count(out *Permutation) {
	const room = 1e-8
	s, p := t.observed.s, t.observed.P
	for i, x := range t.at {
		if t.signs {
			s.y[i] = t.y[i] * float64(1-2*x)
			continue
		}
		row := t.first[x]
		copy(s.q[i*p:i*p+p], t.q[row*p:row*p+p])
	}
	r := &Result{Test: t.observed.Test, K: s.k, P: p, s: s, data: t.observed.data, opts: t.observed.opts}
	tau2 := math.Ldexp(t.observed.Tau2, 2*s.shift)
	if r.opts.Tau2 == nil {
		tau2 = s.estimate(t.observed.Method).tau2
	}
	r.at = s.at(tau2)
	factor := r.inflation()
	beta, cov := s.coefficients(r.at.gamma), s.covariance(r.at.cov)
	for i, c := range t.observed.Coefficients {
		if math.Abs(beta[i])/math.Sqrt(cov[i*p+i]*factor) >= math.Abs(c.Stat)-room {
			out.P[i]++
		}
	}
	r.omnibus(factor)
	if r.QM.Stat >= t.observed.QM.Stat-room {
		out.QMP++
	}
}
