// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"slices"
	"strings"
)

// Parameter is one number of a factor model.
type Parameter struct {
	// LHS Op RHS as in the model: "=~" loading, "~~" (co)variance, "~" regression,
	// "~1" intercept or mean, "|" threshold (RHS t1, t2, ...), "~*~" scaling.
	LHS, Op, RHS string
	Group        int // from 1
	Label        string
	Free         int // position among the free parameters from 1; 0: fixed or derived
	Estimate     float64
	SE           float64 // 0 if fixed, derived, or not identified
	Z, P         float64 // Estimate/SE, two-sided; 0 and 1 without SE
	CI           [2]float64
	StdLV        float64 // scaled to factors of variance 1
	StdAll       float64 // scaled to variables of variance 1

	cell    cell
	derived bool // computed from others: residual variances of ordered items
}

// layout is the parameters of a model for some groups.
type layout struct {
	items, factors []string
	groups         int
	means          bool
	options        Options
	levels         []int // of ordered items, thresholds less one; nil if continuous
	params         []Parameter
	free           int
	labels         map[string]int
}

func (l *layout) index(name string) int {
	if i := slices.Index(l.items, name); i >= 0 {
		return i
	}
	if i := slices.Index(l.factors, name); i >= 0 {
		return len(l.items) + i
	}
	return -1
}

// newLayout lays out what the model says and what a factor model adds to it.
func newLayout(m *Model, items []string, groups int, levels []int, o Options) (*layout, error) {
	l := &layout{items: items, factors: m.factors, groups: groups, levels: levels, options: o, labels: map[string]int{}}
	l.means = o.MeanStructure || groups > 1 || o.Missing == FIML
	for _, t := range m.terms {
		l.means = l.means || t.op == "~1"
	}
	if levels != nil {
		l.means = false
	}
	for g := 1; g <= groups; g++ {
		for _, t := range m.terms {
			if levels != nil && (t.op == "~1" || t.op == "~" && slices.Contains(items, t.lhs)) {
				return nil, fmt.Errorf("line %d: intercepts and regressions of ordered items are not supported", t.line)
			}
			if err := l.addTerm(t, g); err != nil {
				return nil, err
			}
		}
		l.addDefaults(m, g)
	}
	if err := l.number(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *layout) addTerm(t term, g int) error {
	p := Parameter{LHS: t.lhs, Op: t.op, RHS: t.rhs, Group: g, Free: 1}
	i, j := l.index(t.lhs), l.index(t.rhs)
	if i < 0 || j < 0 && t.op != "~1" {
		return fmt.Errorf("line %d: %s or %s is neither an item nor a factor", t.line, t.lhs, t.rhs)
	}
	switch t.op {
	case "=~":
		p.cell = cell{kind: arrow, i: j, j: i}
	case "~":
		p.cell = cell{kind: arrow, i: i, j: j}
	case "~~":
		p.cell = cell{kind: spread, i: i, j: j}
	case "~1":
		p.cell = cell{kind: constant, i: i}
	}
	explicit := false
	switch k := len(t.mods); {
	case k == 0:
	case k == 1 || k == l.groups:
		mod := t.mods[0]
		if k > 1 {
			mod = t.mods[g-1]
		}
		p.Label = mod.label
		explicit = mod.free || mod.fixed != nil
		if mod.fixed != nil {
			p.Free, p.cell.value = 0, *mod.fixed
		}
	default:
		return fmt.Errorf("line %d: %d modifiers for %d groups", t.line, k, l.groups)
	}
	if t.op == "=~" && !explicit && !l.options.StdLV && l.firstOf(t.lhs, g) {
		p.Free, p.cell.value = 0, 1
	}
	if l.levels != nil && t.op == "~~" && i == j && i < len(l.items) {
		return fmt.Errorf("line %d: the residual variance of the ordered item %s follows from its loadings", t.line, t.lhs)
	}
	l.params = append(l.params, p)
	return nil
}

// firstOf says whether a factor of a group has no loading yet.
func (l *layout) firstOf(factor string, g int) bool {
	return !slices.ContainsFunc(l.params, func(p Parameter) bool {
		return p.Op == "=~" && p.LHS == factor && p.Group == g
	})
}

func (l *layout) has(lhs, op, rhs string, g int) bool {
	return slices.ContainsFunc(l.params, func(p Parameter) bool {
		return p.Group == g && p.Op == op && (p.LHS == lhs && p.RHS == rhs || op == "~~" && p.LHS == rhs && p.RHS == lhs)
	})
}

// add appends a parameter that the model did not mention.
func (l *layout) add(lhs, op, rhs string, g, free int, value float64) {
	if l.has(lhs, op, rhs, g) {
		return
	}
	p := Parameter{LHS: lhs, Op: op, RHS: rhs, Group: g, Free: free}
	i := l.index(lhs)
	switch op {
	case "~~":
		p.cell = cell{kind: spread, i: i, j: l.index(rhs), value: value}
	case "~1":
		p.cell = cell{kind: constant, i: i, value: value}
	case "~*~":
		p.cell = cell{kind: scaling, i: i, value: value}
	}
	l.params = append(l.params, p)
}

// addDefaults adds variances, covariances, thresholds and means.
func (l *layout) addDefaults(m *Model, g int) {
	ordered := l.levels != nil
	for i, k := range l.levels {
		for j := range k - 1 {
			l.params = append(l.params, Parameter{LHS: l.items[i], Op: "|", RHS: fmt.Sprintf("t%d", j+1), Group: g, Free: 1,
				cell: cell{kind: threshold, i: i, j: j}})
		}
	}
	for _, name := range l.items {
		l.add(name, "~~", name, g, boolInt(!ordered), 0)
		if ordered {
			l.params[len(l.params)-1].derived = true
		}
	}
	for _, f := range l.factors {
		// Equal loadings carry the scale of the first group to the others.
		fixed := l.options.StdLV && (g == 1 || !l.options.equal(Loadings))
		l.add(f, "~~", f, g, boolInt(!fixed), 1)
	}
	for k, set := range l.covarying(m) {
		// Orthogonal factors have covariances too: fixed at zero.
		fixed := k == 0 && l.options.Orthogonal
		for i, a := range set {
			for _, b := range set[i+1:] {
				l.add(a, "~~", b, g, boolInt(!fixed), 0)
			}
		}
	}
	anchor := l.options.equal(Intercepts)
	if ordered {
		anchor = l.options.equal(Thresholds)
		for _, name := range l.items {
			l.add(name, "~*~", name, g, boolInt(g > 1 && anchor && l.options.equal(Loadings)), 1)
		}
	}
	if !l.means && !ordered {
		return
	}
	for _, name := range l.items {
		l.add(name, "~1", "", g, boolInt(!ordered), 0)
	}
	for _, f := range l.factors {
		l.add(f, "~1", "", g, boolInt(g > 1 && anchor && !l.options.equal(Means)), 0)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// covarying returns the sets within which covariances are free by default:
// factors that nothing explains; variables that regressions explain and that
// explain nothing; observed variables that only explain.
func (l *layout) covarying(m *Model) [][]string {
	var measured, caused, causing []string
	for _, t := range m.terms {
		switch t.op {
		case "=~":
			measured = append(measured, t.rhs)
		case "~":
			caused, causing = append(caused, t.lhs), append(causing, t.rhs)
		}
	}
	var free, outcomes, causes []string
	for _, f := range l.factors {
		if !slices.Contains(measured, f) && !slices.Contains(caused, f) {
			free = append(free, f)
		}
	}
	for _, v := range slices.Concat(l.factors, l.items) {
		if slices.Contains(caused, v) && !slices.Contains(causing, v) && !slices.Contains(measured, v) {
			outcomes = append(outcomes, v)
		}
	}
	for _, v := range l.items {
		if slices.Contains(causing, v) && !slices.Contains(caused, v) && !slices.Contains(measured, v) {
			causes = append(causes, v)
		}
	}
	return [][]string{free, outcomes, causes}
}

// number gives the free parameters their positions: those with one label, or
// held equal over groups, share one.
func (l *layout) number() error {
	l.free = 0
	fixedLabel := map[string]bool{}
	for i := range l.params {
		p := &l.params[i]
		if p.Free == 0 {
			p.cell.free = -1
			if p.Label != "" {
				fixedLabel[p.Label] = true
			}
			continue
		}
		key := p.Label
		if key == "" && l.heldEqual(p) {
			key = fmt.Sprintf("%s %s %s", p.LHS, p.Op, p.RHS)
		}
		at, known := l.labels[key]
		if key == "" || !known {
			l.free++
			at = l.free
			if key != "" {
				l.labels[key] = at
			}
		}
		p.Free, p.cell.free = at, at-1
	}
	for label := range fixedLabel {
		if _, ok := l.labels[label]; ok {
			return fmt.Errorf("label %s is on a fixed parameter and on a free one: write NA* before the fixed one, or its value", label)
		}
	}
	return nil
}

func (l *layout) heldEqual(p *Parameter) bool {
	for _, s := range l.options.GroupPartial {
		s = strings.ReplaceAll(s, " ", "")
		if s == p.LHS+p.Op+p.RHS || p.Op == "~~" && s == p.RHS+p.Op+p.LHS {
			return false
		}
	}
	item := slices.Contains(l.items, p.LHS)
	var what Equal
	switch p.Op {
	case "=~":
		what = Loadings
	case "~":
		what = Regressions
	case "|":
		what = Thresholds
	case "~1":
		what = Means
		if item {
			what = Intercepts
		}
	case "~~":
		switch same := p.LHS == p.RHS; {
		case item && same:
			what = Residuals
		case item:
			what = ResidualCovariances
		case same:
			what = FactorVariances
		default:
			what = FactorCovariances
		}
	}
	return l.groups > 1 && l.options.equal(what)
}

// rams returns the groups' matrices.
func (l *layout) rams() []*ram {
	cells := make([][]cell, l.groups)
	for _, p := range l.params {
		if !p.derived {
			cells[p.Group-1] = append(cells[p.Group-1], p.cell)
		}
	}
	out := make([]*ram, l.groups)
	for g := range out {
		out[g] = newRAM(len(l.items), len(l.items)+len(l.factors), cells[g])
	}
	return out
}
