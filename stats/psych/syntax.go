// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Model is a factor model in words: which item measures which factor, what
// varies with what. Make one with [ParseModel] or [BifactorModel].
type Model struct {
	terms   []term
	factors []string // in order of appearance
}

// term is one relation of the model.
type term struct {
	lhs, op, rhs string
	line         int
	mods         []modifier // for each group, or one for all; none if empty
}

// modifier is what stands before the star in "2*x", "NA*x", "a*x".
type modifier struct {
	fixed *float64
	free  bool
	label string
}

// Factors returns the names of the latent variables in order of appearance.
func (m *Model) Factors() []string { return slices.Clone(m.factors) }

// Items returns the names of the observed variables: first the indicators in
// order of appearance, then further variables.
func (m *Model) Items() []string {
	var items []string
	add := func(name string) {
		if name != "" && name != "1" && !slices.Contains(m.factors, name) && !slices.Contains(items, name) {
			items = append(items, name)
		}
	}
	for _, t := range m.terms {
		if t.op == "=~" {
			add(t.rhs)
		}
	}
	for _, pass := range []func(term){
		func(t term) {
			if t.op == "~" {
				add(t.lhs)
			}
		},
		func(t term) {
			if t.op == "~" {
				add(t.rhs)
			}
		},
		func(t term) {
			if t.op == "~~" || t.op == "~1" {
				add(t.lhs)
				add(t.rhs)
			}
		},
	} {
		for _, t := range m.terms {
			pass(t)
		}
	}
	return items
}

// String returns the model in the syntax that ParseModel reads.
func (m *Model) String() string {
	var b strings.Builder
	for _, t := range m.terms {
		rhs := t.rhs
		op := t.op
		if op == "~1" {
			op, rhs = "~", "1"
		}
		mods := make([]string, len(t.mods))
		for i, mod := range t.mods {
			mods[i] = mod.text()
		}
		switch len(mods) {
		case 0:
		case 1:
			rhs = mods[0] + "*" + rhs
		default:
			rhs = "c(" + strings.Join(mods, ", ") + ")*" + rhs
		}
		fmt.Fprintf(&b, "%s %s %s\n", t.lhs, op, rhs)
	}
	return b.String()
}

func (m modifier) text() string {
	switch {
	case m.fixed != nil:
		return strconv.FormatFloat(*m.fixed, 'g', -1, 64)
	case m.free:
		return "NA"
	}
	return m.label
}

// ParseModel reads a model in the syntax of lavaan, as far as a factor model
// needs it: one formula a line or between semicolons, comments after # or !.
//
//	visual =~ x1 + x2 + x3   visual is measured by three items
//	x1 ~~ x2                 residuals covary
//	visual ~~ 0*textual      a fixed value
//	g =~ NA*x1 + a*x2 + a*x3 free, and equal by label
//	f =~ c(a, b)*x1          one modifier for each group
//	x1 ~ 1                   an intercept
//	f2 ~ f1                  a regression
//
// An error names the line. Constraints (==, <, :=) and thresholds are refused.
func ParseModel(text string) (*Model, error) {
	m := &Model{}
	for _, f := range formulas(text) {
		if err := m.addFormula(f.text, f.line); err != nil {
			return nil, fmt.Errorf("line %d: %w", f.line, err)
		}
	}
	if len(m.terms) == 0 {
		return nil, fmt.Errorf("the model says nothing")
	}
	for _, t := range m.terms {
		if t.op == "=~" && t.lhs == t.rhs {
			return nil, fmt.Errorf("line %d: %s cannot measure itself", t.line, t.lhs)
		}
	}
	return m, nil
}

type formula struct {
	text string
	line int
}

// formulas splits a text at ends of lines and semicolons, and joins lines where
// one ends or the next begins in the middle of a sum.
func formulas(text string) []formula {
	var out []formula
	for i, line := range strings.Split(text, "\n") {
		if at := strings.IndexAny(line, "#!"); at >= 0 {
			line = line[:at]
		}
		for part := range strings.SplitSeq(line, ";") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			if n := len(out); n > 0 && (unfinished(out[n-1].text) || strings.HasPrefix(part, "+") || strings.HasPrefix(part, "*")) {
				out[n-1].text += " " + part
				continue
			}
			out = append(out, formula{part, i + 1})
		}
	}
	return out
}

func unfinished(s string) bool {
	return strings.HasSuffix(s, "+") || strings.HasSuffix(s, "~") || strings.HasSuffix(s, "*") || strings.HasSuffix(s, ",")
}

func (m *Model) addFormula(text string, line int) error {
	for _, op := range []string{":=", "==", "<", ">", "|", "=~"} {
		if strings.Contains(text, op) && op != "=~" {
			return fmt.Errorf("%q is not supported", op)
		}
	}
	lhs, op, rhs := splitOperator(text)
	if op == "" {
		return fmt.Errorf("%q has no operator =~, ~~ or ~", text)
	}
	left := splitTop(lhs, '+')
	right := splitTop(rhs, '+')
	for _, l := range left {
		l = strings.TrimSpace(l)
		if !validName(l) {
			return fmt.Errorf("%q is not a name", l)
		}
		if op == "=~" && !slices.Contains(m.factors, l) {
			m.factors = append(m.factors, l)
		}
		for _, r := range right {
			if err := m.addTerm(l, op, strings.TrimSpace(r), line); err != nil {
				return err
			}
		}
	}
	return nil
}

func splitOperator(text string) (lhs, op, rhs string) {
	for _, op := range []string{"=~", "~~", "~"} {
		if l, r, ok := strings.Cut(text, op); ok {
			return l, op, r
		}
	}
	return "", "", ""
}

// splitTop splits at a character outside parentheses.
func splitTop(s string, sep byte) []string {
	var out []string
	depth, from := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == sep && depth == 0:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

func (m *Model) addTerm(lhs, op, rhs string, line int) error {
	parts := splitTop(rhs, '*')
	name := strings.TrimSpace(parts[len(parts)-1])
	t := term{lhs: lhs, op: op, rhs: name, line: line}
	if op == "~" && name == "1" {
		t.op, t.rhs = "~1", ""
	} else if op == "~" && name == "0" {
		zero := 0.0
		t.op, t.rhs, t.mods = "~1", "", []modifier{{fixed: &zero}}
	} else if !validName(name) {
		return fmt.Errorf("%q is not a name", name)
	}
	if op == "~" && name == lhs {
		return fmt.Errorf("%s cannot depend on itself", lhs)
	}
	for _, p := range parts[:len(parts)-1] {
		mods, err := parseModifier(strings.TrimSpace(p))
		if err != nil {
			return err
		}
		t.mods = mods
	}
	for i, old := range m.terms {
		same := old.lhs == t.lhs && old.rhs == t.rhs || t.op == "~~" && old.lhs == t.rhs && old.rhs == t.lhs
		if old.op == t.op && same {
			if len(t.mods) > 0 {
				m.terms[i].mods = t.mods
			}
			return nil
		}
	}
	m.terms = append(m.terms, t)
	return nil
}

func parseModifier(s string) ([]modifier, error) {
	items := []string{s}
	if strings.HasPrefix(s, "c(") && strings.HasSuffix(s, ")") {
		items = splitTop(s[2:len(s)-1], ',')
	}
	mods := make([]modifier, len(items))
	for i, item := range items {
		item = strings.TrimSpace(item)
		switch v, err := strconv.ParseFloat(item, 64); {
		case item == "NA":
			mods[i].free = true
		case err == nil && v-v == 0: // finite
			mods[i].fixed = &v
		case validName(item):
			mods[i].label = item
		default:
			return nil, fmt.Errorf("%q before * is not a number, NA, or a label", item)
		}
	}
	return mods, nil
}

// validName accepts letters, digits, dots and underscores, not a digit first.
func validName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r == '.' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != "" && s != "NA"
}

// Factor is a latent variable and the items that measure it.
type Factor struct {
	Name  string
	Items []string
}

// BifactorModel returns the model of one general factor on all items and group
// factors on some; fit it with Orthogonal and StdLV set.
func BifactorModel(general string, groups ...Factor) (*Model, error) {
	var all []string
	var text strings.Builder
	for _, g := range groups {
		for _, item := range g.Items {
			if !slices.Contains(all, item) {
				all = append(all, item)
			}
		}
		fmt.Fprintf(&text, "%s =~ %s\n", g.Name, strings.Join(g.Items, " + "))
	}
	return ParseModel(fmt.Sprintf("%s =~ %s\n%s", general, strings.Join(all, " + "), text.String()))
}
