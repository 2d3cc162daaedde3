// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Difference is the test of a model against one with fewer parameters.
type Difference struct {
	ChiSq  float64
	DF     int
	P      float64
	Factor float64 // the scaling factor of a robust test; 1 for ML and DWLS
	// DeltaCFI and DeltaRMSEA are those of the smaller model less those of the
	// larger; scaled ones, if the estimator has them.
	DeltaCFI, DeltaRMSEA float64
	// Negative says that the scaled difference of Satorra & Bentler (2001) has no
	// positive factor, so that there is no test: ChiSq is 0 and P is 1.
	Negative bool
}

// Compare tests a model against one that it is nested in, of the same data and
// estimator: the likelihood ratio for ML, the scaled difference of Satorra &
// Bentler (2001), Psychometrika 66, for MLR and MLM, and for WLSMV that of Satorra
// (2000), scaled and shifted. It does not know whether the models are nested.
func Compare(larger, smaller *Fit) (*Difference, error) {
	if larger.Estimator != smaller.Estimator || larger.N != smaller.N || len(larger.Groups) != len(smaller.Groups) {
		return nil, fmt.Errorf("the models were not fitted to the same data by the same estimator")
	}
	a, b := larger.Indices, smaller.Indices
	df := b.DF - a.DF
	if df <= 0 {
		return nil, fmt.Errorf("the smaller model has %d degrees of freedom, the larger %d", b.DF, a.DF)
	}
	d := &Difference{DF: df, Factor: 1, P: 1, DeltaCFI: b.CFI - a.CFI, DeltaRMSEA: b.RMSEA.Value - a.RMSEA.Value}
	robust := larger.Estimator == MLR || larger.Estimator == MLM || larger.Estimator == WLSMV
	if !robust {
		d.set(b.ChiSq - a.ChiSq)
		return d, nil
	}
	if b.Scaled == nil || a.Scaled == nil && a.DF > 0 {
		return nil, fmt.Errorf("a model has no scaled test")
	}
	d.DeltaCFI = b.Scaled.CFI - 1
	d.DeltaRMSEA = b.Scaled.RMSEA.Value
	var ca float64
	if a.Scaled != nil {
		d.DeltaCFI = b.Scaled.CFI - a.Scaled.CFI
		d.DeltaRMSEA -= a.Scaled.RMSEA.Value
		ca = a.Scaled.Factor
	}
	if larger.Estimator == WLSMV {
		return d, d.satorra2000(larger, smaller)
	}
	d.Factor = (float64(b.DF)*b.Scaled.Factor - float64(a.DF)*ca) / float64(df)
	if d.Factor <= 0 {
		d.Negative = true
		return d, nil
	}
	d.set((b.ChiSq - a.ChiSq) / d.Factor)
	return d, nil
}

func (d *Difference) set(chisq float64) {
	t := newTest(max(0, chisq), d.DF)
	d.ChiSq, d.P = t.ChiSq, t.P
}

// Step is one model of the sequence and its test against the one before.
type Step struct {
	Name string
	Fit  *Fit
	Test *Difference // nil for the first
}

// Invariance fits the sequence of measurement invariance over the groups of a
// table: configural (the same items), metric (equal loadings), scalar (equal
// intercepts, factor means free in all groups but the first), strict (equal
// residual variances). With ordered items scalar means equal thresholds, and the
// sequence ends there. Options.GroupEqual is ignored; GroupPartial holds.
//
// Sources: Meredith (1993), Psychometrika 58; Vandenberg & Lance (2000). For
// ordered items equality of loadings alone rests on thresholds of all groups
// (Wu & Estabrook 2016): judge it with care.
func Invariance(m *Model, t *Table, o Options) ([]Step, error) {
	if t.Group == nil {
		return nil, fmt.Errorf("the table has no groups")
	}
	type level struct {
		name  string
		equal []Equal
	}
	levels := []level{
		{"configural", nil},
		{"metric", []Equal{Loadings}},
		{"scalar", []Equal{Loadings, Intercepts}},
		{"strict", []Equal{Loadings, Intercepts, Residuals}},
	}
	if o.categorical() {
		levels = []level{{"configural", nil}, {"metric", []Equal{Loadings}}, {"scalar", []Equal{Loadings, Thresholds}}}
	}
	var steps []Step
	for _, l := range levels {
		o.GroupEqual = l.equal
		f, err := CFA(m, t, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		if len(f.Groups) < 2 {
			return nil, fmt.Errorf("the table has one group only")
		}
		s := Step{Name: l.name, Fit: f}
		if k := len(steps); k > 0 && f.Converged && steps[k-1].Fit.Converged {
			if s.Test, err = Compare(steps[k-1].Fit, f); err != nil {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// trace2 returns tr(AB) and tr(ABAB) of two symmetric matrices.
func trace2(a, b *mat.SymDense) (t1, t2 float64) {
	var ab mat.Dense
	ab.Mul(dense(a), dense(b))
	n, _ := ab.Dims()
	for i := range n {
		t1 += ab.At(i, i)
		for j := range n {
			t2 += ab.At(i, j) * ab.At(j, i)
		}
	}
	return t1, t2
}
