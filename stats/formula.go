// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Formula is a model formula in the language of Wilkinson and Rogers (1973,
// Applied Statistics 22, 392-399) as R and lme4 write it, taken apart into its
// terms. Make one with [ParseFormula].
type Formula struct {
	Intercept bool         // whether the fixed effects have one
	Terms     []Term       // the fixed effects, main effects first
	Random    []RandomTerm // the random effects, in the order written
	text      string
	response  *node
	offsets   []*node
}

// Term is an interaction of variables, or a single one.
type Term struct {
	label string
	vars  []*node
}

// Label returns the term as R writes it, for example "I(x^2):sex".
func (t Term) Label() string { return t.label }

// RandomTerm is what stands in one pair of parentheses with a bar, after a/b has
// been written as b:a and a, and x || g as its uncorrelated parts.
type RandomTerm struct {
	Intercept bool
	Terms     []Term
	Group     []string // the variables whose combination makes a group
}

// GroupName returns the grouping as lme4 names it, for example "cask:batch".
func (r RandomTerm) GroupName() string { return strings.Join(r.Group, ":") }

// String returns the formula as it was written.
func (f *Formula) String() string { return f.text }

// Response returns the left side as R writes it; empty where there is none.
func (f *Formula) Response() string {
	if f.response == nil {
		return ""
	}
	return f.response.deparse()
}

// Variables returns the names of all columns that the formula needs, each once,
// in the order of their appearance.
func (f *Formula) Variables() []string {
	var names []string
	add := func(n *node) {
		n.walk(func(m *node) {
			if m.kind == kindVariable && !slices.Contains(names, m.name) {
				names = append(names, m.name)
			}
		})
	}
	if f.response != nil {
		add(f.response)
	}
	addTerms := func(terms []Term) {
		for _, t := range terms {
			for _, v := range t.vars {
				add(v)
			}
		}
	}
	addTerms(f.Terms)
	for _, o := range f.offsets {
		add(o)
	}
	for _, r := range f.Random {
		addTerms(r.Terms)
		for _, g := range r.Group {
			add(&node{kind: kindVariable, name: g})
		}
	}
	return names
}

// Most of what a formula may hold; more is a mistake or an attack.
const (
	maxFormula = 1 << 14 // bytes
	maxDepth   = 100
	maxTerms   = 2000
	maxDegree  = 20
)

// ParseFormula reads a formula. The left side may be missing. It knows + - * : /
// ^ %in% 0 1 and parentheses in their meaning for terms, random terms with | and
// ||, offset(), and the functions I, log, log2, log10, log1p, exp, sqrt, abs,
// scale and factor; inside a function + - * / ^ are arithmetic. As in lme4, ||
// separates the terms on its left and leaves the columns of one factor
// correlated. The error names the place, in characters from 1.
func ParseFormula(text string) (*Formula, error) {
	left, right, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("formula %q: %w", shorten(text), err)
	}
	f := &Formula{text: strings.TrimSpace(text), response: left}
	if left != nil {
		if err := checkArithmetic(left); err != nil {
			return nil, fmt.Errorf("formula %q: left side: %w", shorten(text), err)
		}
	}
	if err := f.expand(right); err != nil {
		return nil, fmt.Errorf("formula %q: %w", shorten(text), err)
	}
	return f, nil
}

func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}

// expand writes the right side as fixed terms, random terms and offsets.
func (f *Formula) expand(right *node) error {
	e := &expander{}
	var fixed *node
	for _, piece := range pieces(right, nil, false) {
		switch {
		case piece.node.bar() != nil:
			if piece.minus {
				return errors.New("a random term cannot be taken away")
			}
			random, err := e.random(piece.node.bar())
			if err != nil {
				return err
			}
			f.Random = append(f.Random, random...)
		case piece.node.kind == kindCall && piece.node.name == "offset":
			if piece.minus || len(piece.node.args) != 1 {
				return errors.New("offset takes one argument and cannot be taken away")
			}
			if err := checkArithmetic(piece.node.args[0]); err != nil {
				return err
			}
			f.offsets = append(f.offsets, piece.node.args[0])
		default:
			fixed = join(fixed, piece)
		}
	}
	set, err := e.expand(fixed)
	if err != nil {
		return err
	}
	f.Intercept = set.intercept >= 0
	f.Terms = e.terms(set)
	return nil
}

// piece is a summand of the right side.
type piece struct {
	node  *node
	minus bool
}

// pieces flattens a sum.
func pieces(n *node, into []piece, minus bool) []piece {
	if n.kind == kindBinary && (n.name == "+" || n.name == "-") {
		into = pieces(n.args[0], into, minus)
		return pieces(n.args[1], into, minus != (n.name == "-"))
	}
	return append(into, piece{n, minus})
}

// join adds a piece to a sum again.
func join(sum *node, p piece) *node {
	if sum == nil && !p.minus {
		return p.node
	}
	if sum == nil {
		return &node{kind: kindUnary, name: "-", args: []*node{p.node}}
	}
	op := "+"
	if p.minus {
		op = "-"
	}
	return &node{kind: kindBinary, name: op, args: []*node{sum, p.node}}
}

// bar returns the node of | or || when n is a random term.
func (n *node) bar() *node {
	if n.kind == kindParen && n.args[0].kind == kindBinary && (n.args[0].name == "|" || n.args[0].name == "||") {
		return n.args[0]
	}
	return nil
}

// expander numbers the variables in the order in which they appear: it is the
// order in which R writes them in an interaction.
type expander struct {
	vars   []*node
	labels []string
}

// termSet is a list of terms, each a sorted list of variables, without doubles.
// intercept is 1 where asked for, -1 where refused, 0 where nothing was said.
type termSet struct {
	terms     [][]int
	intercept int
}

func (s *termSet) add(term []int) error {
	if len(term) == 0 {
		s.intercept = 1
		return nil
	}
	if slices.ContainsFunc(s.terms, func(t []int) bool { return slices.Equal(t, term) }) {
		return nil
	}
	if len(s.terms) >= maxTerms {
		return fmt.Errorf("more than %d terms", maxTerms)
	}
	if len(term) > maxDegree {
		return fmt.Errorf("an interaction of more than %d variables", maxDegree)
	}
	s.terms = append(s.terms, term)
	return nil
}

// all lists the terms with the intercept, where asked for, as the empty term.
func (s termSet) all() [][]int {
	if s.intercept > 0 {
		return append([][]int{{}}, s.terms...)
	}
	return s.terms
}

func union(a, b []int) []int {
	u := slices.Concat(a, b)
	slices.Sort(u)
	return slices.Compact(u)
}

func (e *expander) variable(n *node) (int, error) {
	if err := checkArithmetic(n); err != nil {
		return 0, err
	}
	label := n.deparse()
	if i := slices.Index(e.labels, label); i >= 0 {
		return i, nil
	}
	e.vars, e.labels = append(e.vars, n), append(e.labels, label)
	return len(e.vars) - 1, nil
}

func (e *expander) expand(n *node) (termSet, error) {
	var s termSet
	if n == nil {
		return s, nil
	}
	switch n.kind {
	case kindParen:
		if n.bar() != nil {
			return s, errors.New("a random term can only be added to the others with +")
		}
		return e.expand(n.args[0])
	case kindNumber:
		switch n.number {
		case 0:
			s.intercept = -1
		case 1:
			s.intercept = 1
		default:
			return s, fmt.Errorf("%s is no term: only 0 and 1 may stand alone", n.deparse())
		}
		return s, nil
	case kindVariable, kindCall:
		if n.kind == kindCall && n.name == "offset" {
			return s, errors.New("offset() can only be added to the terms with +")
		}
		v, err := e.variable(n)
		if err != nil {
			return s, err
		}
		s.terms = [][]int{{v}}
		return s, nil
	case kindUnary:
		taken, err := e.expand(n.args[0])
		if err != nil {
			return s, err
		}
		s.intercept = -taken.intercept
		return s, nil
	}
	return e.binary(n)
}

func (e *expander) binary(n *node) (termSet, error) {
	a, err := e.expand(n.args[0])
	if err != nil {
		return a, err
	}
	if n.name == "^" {
		return power(a, n.args[1])
	}
	b, err := e.expand(n.args[1])
	if err != nil {
		return b, err
	}
	switch n.name {
	case "+":
		return sum(a, b)
	case "-":
		return difference(a, b), nil
	case ":", "%in%":
		return product(a, b)
	case "*":
		s, err := sum(a, b)
		if err != nil {
			return s, err
		}
		ab, err := product(a, b)
		if err != nil {
			return s, err
		}
		return sum(s, ab)
	case "/":
		var all []int
		for _, t := range a.terms {
			all = union(all, t)
		}
		ab, err := product(termSet{terms: [][]int{all}}, b)
		if err != nil {
			return a, err
		}
		return sum(a, ab)
	}
	return a, fmt.Errorf("%s stands outside parentheses; write a random term as (x | g)", n.name)
}

func sum(a, b termSet) (termSet, error) {
	s := termSet{terms: slices.Clone(a.terms), intercept: a.intercept}
	for _, t := range b.terms {
		if err := s.add(t); err != nil {
			return s, err
		}
	}
	if b.intercept != 0 {
		s.intercept = b.intercept
	}
	return s, nil
}

func difference(a, b termSet) termSet {
	s := termSet{intercept: a.intercept}
	for _, t := range a.terms {
		if !slices.ContainsFunc(b.terms, func(o []int) bool { return slices.Equal(o, t) }) {
			s.terms = append(s.terms, t)
		}
	}
	if b.intercept != 0 {
		s.intercept = -b.intercept
	}
	return s
}

func product(a, b termSet) (termSet, error) {
	var s termSet
	for _, t := range a.all() {
		for _, u := range b.all() {
			if err := s.add(union(t, u)); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func power(a termSet, exponent *node) (termSet, error) {
	k := exponent.number
	if exponent.kind != kindNumber || k != float64(int(k)) || k < 1 || k > maxDegree {
		return a, fmt.Errorf("terms can only be raised to a whole number from 1 to %d; write I(x^2) for a square", maxDegree)
	}
	s := a
	for range int(k) - 1 {
		p, err := product(s, a)
		if err != nil {
			return s, err
		}
		if len(p.terms) == len(s.terms) {
			return p, nil
		}
		s = p
	}
	return s, nil
}

// terms puts main effects first, then interactions by their degree.
func (e *expander) terms(s termSet) []Term {
	sorted := slices.Clone(s.terms)
	slices.SortStableFunc(sorted, func(a, b []int) int { return len(a) - len(b) })
	terms := make([]Term, len(sorted))
	for i, t := range sorted {
		labels := make([]string, len(t))
		vars := make([]*node, len(t))
		for j, v := range t {
			labels[j], vars[j] = e.labels[v], e.vars[v]
		}
		terms[i] = Term{label: strings.Join(labels, ":"), vars: vars}
	}
	return terms
}

// random writes one random term as one or several.
func (e *expander) random(bar *node) ([]RandomTerm, error) {
	own := &expander{} // lme4 numbers the variables of each random term afresh
	set, err := own.expand(bar.args[0])
	if err != nil {
		return nil, err
	}
	groups, err := groupings(bar.args[1])
	if err != nil {
		return nil, err
	}
	intercept, terms := set.intercept >= 0, own.terms(set)
	if !intercept && len(terms) == 0 {
		return nil, errors.New("a random term has nothing on the left of its bar")
	}
	var out []RandomTerm
	for _, g := range slices.Backward(groups) {
		if bar.name == "|" {
			out = append(out, RandomTerm{Intercept: intercept, Terms: terms, Group: g})
			continue
		}
		if intercept {
			out = append(out, RandomTerm{Intercept: true, Group: g})
		}
		for _, t := range terms {
			out = append(out, RandomTerm{Terms: []Term{t}, Group: g})
		}
	}
	return out, nil
}

// groupings writes what is on the right of a bar as lists of variables; a/b is a
// and b:a.
func groupings(n *node) ([][]string, error) {
	switch {
	case n.kind == kindVariable:
		return [][]string{{n.name}}, nil
	case n.kind == kindParen:
		return groupings(n.args[0])
	case n.kind == kindBinary && n.name == ":":
		a, err := groupings(n.args[0])
		if err != nil {
			return nil, err
		}
		b, err := groupings(n.args[1])
		if err != nil {
			return nil, err
		}
		if len(a) == 1 && len(b) == 1 {
			return [][]string{compactNames(slices.Concat(a[0], b[0]))}, nil
		}
	case n.kind == kindBinary && n.name == "/":
		a, err := groupings(n.args[0])
		if err != nil {
			return nil, err
		}
		b, err := groupings(n.args[1])
		if err != nil {
			return nil, err
		}
		if len(b) == 1 {
			return append(a, compactNames(slices.Concat(b[0], a[len(a)-1]))), nil
		}
	}
	return nil, fmt.Errorf("%s is no grouping: write g, a:b or a/b", n.deparse())
}

func compactNames(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
