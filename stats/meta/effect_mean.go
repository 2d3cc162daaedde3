// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
)

// Arm is what a study reports of one group: how many, mean and standard
// deviation.
type Arm struct {
	N, Mean, SD float64
}

func (a Arm) check(which string) error {
	if err := numbers(which+" mean", a.Mean); err != nil {
		return err
	}
	if err := positive(which+" SD", a.SD); err != nil {
		return err
	}
	return atLeast(which+" n", a.N, 2)
}

func checkArms(a, b Arm) error {
	if err := a.check("first"); err != nil {
		return err
	}
	return b.check("second")
}

// MeanDifference is the difference of means, first minus second, with variance
// SD1²/n1 + SD2²/n2. metafor's MD.
func MeanDifference(a, b Arm) (Effect, error) {
	if err := checkArms(a, b); err != nil {
		return Effect{}, err
	}
	return effect(a.Mean-b.Mean, a.SD*a.SD/a.N+b.SD*b.SD/b.N)
}

// HedgesJ is the exact factor that removes the bias of a standardised mean
// difference with m degrees of freedom: Hedges (1981), doi
// 10.3102/10769986006002107. It needs m > 1.
func HedgesJ(m float64) float64 {
	a, _ := math.Lgamma(m / 2)
	b, _ := math.Lgamma((m - 1) / 2)
	return math.Exp(a-b) / math.Sqrt(m/2)
}

// HedgesJApprox is the usual approximation 1 - 3/(4m-1) of [HedgesJ].
func HedgesJApprox(m float64) float64 { return 1 - 3/(4*m-1) }

// SMDVariance names a formula for the sampling variance of Hedges' g.
type SMDVariance string

// The formulas, as metafor's vtype. n is n1+n2, m is n-2, J is [HedgesJ].
const (
	// LS is 1/n1 + 1/n2 + g²/(2n), the large-sample formula; the default.
	LS SMDVariance = "LS"
	// LS2 is J² (1/n1 + 1/n2 + d²/(2n)), Borenstein and others (2009).
	LS2 SMDVariance = "LS2"
	// UB is 1/n1 + 1/n2 + (1 - (m-2)/(m J²)) g², without bias: Hedges (1983).
	UB SMDVariance = "UB"
)

// StandardizedMeanDifference is Hedges' g, first minus second: the difference
// over the pooled standard deviation, times the exact [HedgesJ]. The variance
// is LS when the kind is empty. metafor's SMD.
func StandardizedMeanDifference(a, b Arm, kind SMDVariance) (Effect, error) {
	if err := checkArms(a, b); err != nil {
		return Effect{}, err
	}
	m := a.N + b.N - 2
	pooled := math.Sqrt(((a.N-1)*a.SD*a.SD + (b.N-1)*b.SD*b.SD) / m)
	return HedgesG((a.Mean-b.Mean)/pooled, a.N, b.N, kind)
}

// HedgesG turns Cohen's d of two groups into Hedges' g with its variance, with
// the exact [HedgesJ].
func HedgesG(d, n1, n2 float64, kind SMDVariance) (Effect, error) {
	if err := numbers("d", d); err != nil {
		return Effect{}, err
	}
	if err := checkGroups(n1, n2); err != nil {
		return Effect{}, err
	}
	n, m := n1+n2, n1+n2-2
	j := HedgesJ(m)
	g := j * d
	base := 1/n1 + 1/n2
	switch kind {
	case "", LS:
		return effect(g, base+g*g/(2*n))
	case LS2:
		return effect(g, j*j*(base+d*d/(2*n)))
	case UB:
		return effect(g, base+(1-(m-2)/(m*j*j))*g*g)
	}
	return Effect{}, fmt.Errorf("there is no variance %q of a standardised mean difference; known are LS, LS2 and UB", kind)
}

func checkGroups(n1, n2 float64) error {
	if err := atLeast("n1", n1, 1); err != nil {
		return err
	}
	if err := atLeast("n2", n2, 1); err != nil {
		return err
	}
	return atLeast("n1+n2", n1+n2, 4)
}

// CohenD is the standardised mean difference without correction of n1 and n2
// people, with variance 1/n1 + 1/n2 + d²/(2(n1+n2)).
func CohenD(d, n1, n2 float64) (Effect, error) {
	if err := numbers("d", d); err != nil {
		return Effect{}, err
	}
	if err := checkGroups(n1, n2); err != nil {
		return Effect{}, err
	}
	return effect(d, 1/n1+1/n2+d*d/(2*(n1+n2)))
}

// StandardizedMeanDifferenceUnequal divides by the root of the mean of the two
// variances instead of pooling them, times J = [HedgesJ] of n1+n2-2, with J²
// times the variance of Bonett (2009), doi 10.1037/a0014270, at the corrected
// value, as metafor's SMDH has it.
func StandardizedMeanDifferenceUnequal(a, b Arm) (Effect, error) {
	if err := checkArms(a, b); err != nil {
		return Effect{}, err
	}
	va, vb := a.SD*a.SD, b.SD*b.SD
	s2 := (va + vb) / 2
	m := a.N + b.N - 2
	j := HedgesJ(m)
	g := j * (a.Mean - b.Mean) / math.Sqrt(s2)
	v := g*g*(va*va/(a.N-1)+vb*vb/(b.N-1))/(8*s2*s2) + (va/(a.N-1)+vb/(b.N-1))/s2
	return effect(g, j*j*v)
}

// PrePost is what a study reports of one group measured twice.
type PrePost struct {
	N             float64
	First, Second float64
	// SDFirst and SDSecond are standard deviations, R the correlation between
	// the occasions.
	SDFirst, SDSecond, R float64
}

func (p PrePost) check() error {
	if err := numbers("first mean", p.First, "second mean", p.Second); err != nil {
		return err
	}
	if err := positive("first SD", p.SDFirst); err != nil {
		return err
	}
	if err := positive("second SD", p.SDSecond); err != nil {
		return err
	}
	if err := correlation(p.R); err != nil {
		return err
	}
	return atLeast("n", p.N, 3)
}

// StandardizedChange is first minus second over the standard deviation of the
// first occasion ("raw score standardisation"), times [HedgesJ] of n-1, with
// variance 2(1-r)/n + g²/(2n): Becker (1988), doi
// 10.1111/j.2044-8317.1988.tb00901.x. metafor's SMCR.
func StandardizedChange(p PrePost) (Effect, error) {
	if err := p.check(); err != nil {
		return Effect{}, err
	}
	g := HedgesJ(p.N-1) * (p.First - p.Second) / p.SDFirst
	return effect(g, 2*(1-p.R)/p.N+g*g/(2*p.N))
}

// StandardizedChangeScore is the mean change over the standard deviation of
// the changes, times [HedgesJ] of n-1, with variance 1/n + g²/(2n).
// metafor's SMCC.
func StandardizedChangeScore(p PrePost) (Effect, error) {
	if err := p.check(); err != nil {
		return Effect{}, err
	}
	s2 := p.SDFirst*p.SDFirst + p.SDSecond*p.SDSecond - 2*p.R*p.SDFirst*p.SDSecond
	if !(s2 > 0) {
		return Effect{}, &DataError{Column: "r", Reason: "leaves no variance of the changes"}
	}
	g := HedgesJ(p.N-1) * (p.First - p.Second) / math.Sqrt(s2)
	return effect(g, 1/p.N+g*g/(2*p.N))
}
