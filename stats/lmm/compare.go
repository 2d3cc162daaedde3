// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// LikelihoodRatio is the comparison of two nested models.
type LikelihoodRatio struct {
	Chi2, P float64
	DF      int
	Note    string // where the chi-squared distribution is not the right one
}

// Compare tests the smaller of two nested models against the larger by the ratio
// of their likelihoods. Both must use the same rows and response, and be fitted
// by ML, or by REML with the same fixed effects: otherwise the likelihoods are
// not comparable, and that is an error. Where random effects are tested the
// variance lies on the edge of its range under the smaller model, and P is too
// large (Self and Liang 1987; Stram and Lee 1994): Note says so. Whether one
// model contains the other is for the caller to know.
func Compare(small, large *Model) (LikelihoodRatio, error) {
	if small.Parameters > large.Parameters {
		small, large = large, small
	}
	switch {
	case small.N != large.N || !slices.Equal(small.design.Kept, large.design.Kept):
		return LikelihoodRatio{}, fmt.Errorf("the models use different rows: %d and %d", small.N, large.N)
	case !slices.Equal(small.design.Y, large.design.Y):
		return LikelihoodRatio{}, errors.New("the models have different responses")
	case !slices.Equal(small.w, large.w):
		return LikelihoodRatio{}, errors.New("the models have different weights")
	case small.REML != large.REML:
		return LikelihoodRatio{}, errors.New("one model is fitted by REML, the other by ML")
	case small.REML && !slices.Equal(small.x.Names, large.x.Names):
		return LikelihoodRatio{}, errors.New("REML likelihoods of different fixed effects cannot be compared; fit both by ML")
	case small.Parameters == large.Parameters:
		return LikelihoodRatio{}, fmt.Errorf("both models have %d parameters: neither is the smaller", small.Parameters)
	}
	r := LikelihoodRatio{Chi2: max(0, small.Criterion-large.Criterion), DF: large.Parameters - small.Parameters}
	r.P = distuv.ChiSquared{K: float64(r.DF)}.Survival(r.Chi2)
	if len(small.x.Names) == len(large.x.Names) && len(small.Theta) < len(large.Theta) {
		r.Note = "a variance of nought is on the edge of its range: the p value is too large"
	}
	if d := small.Criterion - large.Criterion; d < -1e-6 {
		r.Note = "the larger model fits worse: the models are not nested, or a fit did not converge"
	}
	return r, nil
}

// Containment returns t tests with the degrees of freedom of nlme's lme: a
// coefficient is tested at the innermost grouping within which its column
// varies (Pinheiro and Bates 2000, section 2.4.2). Standard errors are those of
// [Model.UnbiasedSE], as in its summary. The groupings must be nested, as in lme;
// crossed ones are an error.
func (m *Model) Containment() ([]Test, error) {
	levels, err := m.nesting()
	if err != nil {
		return nil, err
	}
	// at[j] is how many groupings lie outside the place of column j; the
	// intercept counts as outermost when places are counted, and is tested inside.
	p := m.x.Cols()
	at := make([]int, p)
	spent := make([]int, len(levels)+1)
	for j := range p {
		if m.x.Term[j] < 0 {
			at[j] = len(levels)
			continue
		}
		for at[j] < len(levels) && varies(m.x.Data, p, j, levels[at[j]].codes) {
			at[j]++
		}
	}
	// A term is tested at one place: the innermost of its columns.
	for j := range p {
		for k := range p {
			if m.x.Term[k] == m.x.Term[j] {
				at[j] = max(at[j], at[k])
			}
		}
		if m.x.Term[j] >= 0 {
			spent[at[j]]++
		}
	}
	tests, se := make([]Test, p), m.UnbiasedSE()
	for j, c := range m.Fixed {
		size, outer := m.N, 0
		if at[j] < len(levels) {
			size = len(levels[at[j]].levels)
		}
		switch {
		case at[j] > 0:
			outer = len(levels[at[j]-1].levels)
		case slices.Contains(m.x.Term, -1):
			outer = 1
		}
		df := float64(size - outer - spent[at[j]])
		if df <= 0 {
			return nil, fmt.Errorf("no degrees of freedom are left for %s", c.Name)
		}
		tests[j] = tTest(c.Name, c.Estimate, se[j], df)
	}
	return tests, nil
}

// TermTest is the test of all columns of a term of the formula.
type TermTest struct {
	Term string // as R writes it, for example "x:arm"
	FTest
}

// Terms tests each term of the fixed effects: that all its coefficients are
// nought, the others being as they are coded. With treatment contrasts a main
// effect beside its interaction is therefore the effect at the base level; with
// sum contrasts it is that of a type III table. The denominator is
// Satterthwaite's, or Kenward and Roger's where kenwardRoger is true.
func (m *Model) Terms(kenwardRoger bool) ([]TermTest, error) {
	test := m.SatterthwaiteF
	if kenwardRoger {
		test = m.KenwardRogerF
	}
	var out []TermTest
	for t, term := range m.design.Formula.Terms {
		var contrasts [][]float64
		for j, of := range m.x.Term {
			if of == t {
				row := make([]float64, len(m.x.Term))
				row[j] = 1
				contrasts = append(contrasts, row)
			}
		}
		if contrasts == nil {
			continue // all its columns follow from others
		}
		f, err := test(contrasts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", term.Label(), err)
		}
		out = append(out, TermTest{term.Label(), f})
	}
	return out, nil
}

// nesting returns one term of each grouping, the outermost first.
func (m *Model) nesting() ([]*term, error) {
	var out []*term
	for i := len(m.pr.terms) - 1; i >= 0; i-- {
		t := m.pr.terms[i]
		if len(out) > 0 && out[len(out)-1].name == t.name {
			continue
		}
		if len(out) > 0 {
			up := out[len(out)-1]
			parent := make([]int32, len(t.levels))
			for k := range parent {
				parent[k] = -1
			}
			for row, code := range t.codes {
				if parent[code] >= 0 && parent[code] != up.codes[row] {
					return nil, fmt.Errorf("the groups of %s are not nested in those of %s", t.name, up.name)
				}
				parent[code] = up.codes[row]
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// varies says whether column j is not constant in a group.
func varies(data []float64, p, j int, codes []int32) bool {
	seen := map[int32]float64{}
	for i, c := range codes {
		v, ok := seen[c]
		if !ok {
			seen[c] = data[i*p+j]
		} else if v != data[i*p+j] {
			return true
		}
	}
	return false
}
