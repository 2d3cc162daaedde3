// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
	"slices"
)

// Live is a meta-analysis that grows: each study added gives the result that
// [Fit] gives of all so far, bit for bit up to the order of rounding. Without
// moderators only sums are recomputed, in time linear in studies: some tens of
// microseconds for hundreds. Not safe for concurrent use.
type Live struct {
	opts Options
	data Data
	s    *sample
}

// NewLive starts from data that may be empty but for the names of moderators.
func NewLive(d Data, o Options) (*Live, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	l := &Live{opts: o, data: Data{Y: slices.Clone(d.Y), V: slices.Clone(d.V), NoIntercept: d.NoIntercept}}
	for _, m := range d.Moderators {
		l.data.Moderators = append(l.data.Moderators, Moderator{m.Name, slices.Clone(m.Values)})
	}
	if len(d.Y) > 0 {
		return l, l.data.check()
	}
	return l, nil
}

// K is the number of studies so far.
func (l *Live) K() int { return len(l.data.Y) }

// Add takes a study, with the values of the moderators in their order, and
// refits. A study that no model can use is refused with an error and not taken.
// So is one with which the model cannot be fitted, except while there are
// fewer studies than coefficients: they are taken, and the error says so. A
// wrong number of moderators panics.
func (l *Live) Add(e Effect, moderators ...float64) (*Result, error) {
	if len(moderators) != len(l.data.Moderators) {
		panic(fmt.Sprintf("meta: %d moderator values for a model with %d moderators", len(moderators), len(l.data.Moderators)))
	}
	k := l.K()
	l.data.Y, l.data.V = append(l.data.Y, e.Y), append(l.data.V, e.V)
	for i := range moderators {
		l.data.Moderators[i].Values = append(l.data.Moderators[i].Values, moderators[i])
	}
	if err := l.data.check(); err != nil {
		l.truncate(k)
		return nil, err
	}
	p := len(moderators)
	if !l.data.NoIntercept {
		p++
	}
	if k+1 < p {
		return nil, &DataError{Reason: fmt.Sprintf("%d studies cannot determine %d coefficients yet", k+1, p)}
	}
	r, err := l.fit()
	if err != nil && k >= p {
		l.truncate(k)
	}
	return r, err
}

func (l *Live) truncate(k int) {
	l.data.Y, l.data.V = l.data.Y[:k], l.data.V[:k]
	for i := range l.data.Moderators {
		l.data.Moderators[i].Values = l.data.Moderators[i].Values[:k]
	}
}

// fit extends the sample of the last fit where its units still suit.
func (l *Live) fit() (*Result, error) {
	k := l.K()
	if len(l.data.Moderators) > 0 || l.data.NoIntercept || l.s == nil || l.s.k != k-1 || shiftOf(l.data.V) != l.s.shift {
		r, err := Fit(l.snapshot(), l.opts)
		if err == nil {
			l.s = r.s
		}
		return r, err
	}
	old := l.s
	s := &sample{shift: old.shift, w: append(old.w, 0), res: append(old.res, 0)}
	s.y = append(old.y, math.Ldexp(l.data.Y[k-1], s.shift))
	s.v = append(old.v, math.Ldexp(l.data.V[k-1], 2*s.shift))
	root := math.Sqrt(float64(k))
	s.design = &design{k: k, p: 1, names: old.names, q: append(old.q, 0), r: []float64{root}, rinv: []float64{1 / root}, constant: true}
	for i := range s.q {
		s.q[i] = 1 / root
	}
	r := s.result(l.opts)
	r.data = l.snapshot()
	if err := r.tables(); err != nil {
		return nil, err
	}
	l.s = s
	return r, nil
}

// snapshot shares the studies so far with the result, which later ones do not
// change.
func (l *Live) snapshot() Data {
	d := l.data
	k := l.K()
	d.Y, d.V = d.Y[:k:k], d.V[:k:k]
	d.Moderators = slices.Clone(d.Moderators)
	for i, m := range d.Moderators {
		d.Moderators[i].Values = m.Values[:k:k]
	}
	return d
}
