// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"

	"github.com/entente-project/entente/stats/meta"
)

// reportSelection asks how the result looks if significant results were likelier
// to be published.
func (m *metaModel) reportSelection() error {
	if len(m.Selection) == 0 {
		return nil
	}
	s, err := meta.Select(m.data, meta.SelectOptions{Steps: m.Selection, Less: m.Less, Level: m.Level})
	if err != nil {
		return fmt.Errorf("--selection: %w", err)
	}
	var weights []Object
	var rows [][]string
	for _, w := range s.Weights {
		weights = append(weights, Object{{"from", w.From}, {"to", w.To}, {"studies", w.Studies}, {"delta", w.Delta}, {"se", w.SE}})
		se := ""
		if w.SE != nil {
			se = num(*w.SE)
		}
		rows = append(rows, []string{fmt.Sprintf("%g to %g", w.From, w.To), whole(w.Studies), num(w.Delta), se})
	}
	m.coefficientTable("Selection model"+state(s.State)+", by maximum likelihood", s.Coefficients)
	m.doc.table("Chance to be seen, by the one-sided p-value of the study", []string{"p", "studies", "relative", "SE"}, rows)
	m.doc.say("tau² %s; without selection %s, and %s. All chances equal: chi²(%s) = %s, %s. With few studies in an interval such a model says little.",
		short(s.Tau2), short(s.Unadjusted.Coefficients[0].Estimate), short(s.Unadjusted.Tau2), df(s.Test.DF1), short(s.Test.Stat), pShort(s.Test.P))
	m.add("selection", Object{{"state", string(s.State)}, {"coefficients", coefficientObjects(s.Coefficients)}, {"tau2", s.Tau2}, {"tau2_se", s.Tau2SE},
		{"weights", weights}, {"log_likelihood", s.LogLik}, {"test", testObject(s.Test)}})
	return nil
}

// reportPermutation tests the coefficients without normality.
func (m *metaModel) reportPermutation(ctx context.Context, progress func(string)) error {
	if m.Permute == 0 {
		return nil
	}
	progress("permuting")
	p, err := meta.PermutationTest(ctx, m.data, m.options, meta.PermutationOptions{Iterations: m.Permute, Seed: m.Seed})
	if err != nil {
		return fmt.Errorf("--permute: %w", err)
	}
	var objects []Object
	var rows [][]string
	for i, c := range m.flat.Coefficients {
		objects = append(objects, Object{{"name", c.Name}, {"p", p.P[i]}})
		rows = append(rows, []string{c.Name, prob(c.P), prob(p.P[i])})
	}
	how := fmt.Sprintf("%d arrangements drawn", p.Iterations)
	if p.Exact {
		how = fmt.Sprintf("all %d arrangements", p.Iterations)
	}
	m.doc.table("Permutation test, "+how, []string{"", "p of the model", "p"}, rows)
	m.add("permutation", Object{{"exact", p.Exact}, {"arrangements", p.Iterations}, {"seed", int(m.Seed)}, {"coefficients", objects}, {"QM_p", p.QMP}})
	return nil
}
