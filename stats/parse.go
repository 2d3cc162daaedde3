// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nodeKind is the kind of a node of a parsed formula.
type nodeKind int

const (
	kindNumber nodeKind = iota
	kindVariable
	kindCall   // name(args...), with argNames
	kindUnary  // - or +
	kindBinary // name is the operator
	kindParen
)

type node struct {
	kind     nodeKind
	name     string
	number   float64
	args     []*node
	argNames []string
}

// walk calls see for the node and all below it.
func (n *node) walk(see func(*node)) {
	see(n)
	for _, a := range n.args {
		a.walk(see)
	}
}

// deparse writes the node with the spaces that R uses, as the names of
// coefficients are made of it.
func (n *node) deparse() string {
	switch n.kind {
	case kindNumber:
		return numberText(n.number)
	case kindVariable:
		return n.name
	case kindParen:
		return "(" + n.args[0].deparse() + ")"
	case kindUnary:
		return n.name + n.args[0].deparse()
	case kindBinary:
		gap := " "
		if n.name == "/" || n.name == "^" || n.name == ":" {
			gap = ""
		}
		return n.args[0].deparse() + gap + n.name + gap + n.args[1].deparse()
	}
	parts := make([]string, len(n.args))
	for i, a := range n.args {
		if n.argNames[i] != "" {
			parts[i] = n.argNames[i] + " = "
		}
		parts[i] += a.deparse()
	}
	return n.name + "(" + strings.Join(parts, ", ") + ")"
}

// strength of the operators, as in R.
var strength = map[string]int{"|": 1, "||": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%in%": 4, ":": 5, "^": 7}

const strengthUnary = 6

type token struct {
	kind nodeKind // number, variable, or binary for every sign
	text string
	num  float64
	at   int // characters from 1
}

var errEnd = errors.New("it ends too early")

// parse reads both sides; left is nil in a one-sided formula.
func parse(text string) (left, right *node, err error) {
	if len(text) > maxFormula {
		return nil, nil, fmt.Errorf("longer than %d bytes", maxFormula)
	}
	tokens, err := scan(text)
	if err != nil {
		return nil, nil, err
	}
	tilde := slices.IndexFunc(tokens, func(t token) bool { return t.kind == kindBinary && t.text == "~" })
	if tilde < 0 {
		return nil, nil, errors.New("there is no ~ between the response and the terms")
	}
	if tilde > 0 {
		if left, err = parseSide(tokens[:tilde]); err != nil {
			return nil, nil, err
		}
	}
	right, err = parseSide(tokens[tilde+1:])
	return left, right, err
}

func parseSide(tokens []token) (*node, error) {
	p := &parser{tokens: tokens}
	n, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if t, ok := p.peek(); ok {
		return nil, fmt.Errorf("%q at character %d is not expected there", t.text, t.at)
	}
	return n, nil
}

// scan cuts the text into tokens.
func scan(text string) ([]token, error) {
	var tokens []token
	at := 1
	for i, before := 0, 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		at, before = at+utf8.RuneCountInString(text[before:i]), i
		if r == utf8.RuneError && size == 1 {
			return nil, fmt.Errorf("character %d is not UTF-8", at)
		}
		if unicode.IsSpace(r) {
			i += size
			continue
		}
		t, width, err := scanOne(text[i:], r, at)
		if err != nil {
			return nil, err
		}
		t.at = at
		tokens = append(tokens, t)
		i += width
	}
	return tokens, nil
}

func nameRune(r rune) bool {
	return r == '.' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func scanOne(s string, r rune, at int) (token, int, error) {
	switch {
	case r >= '0' && r <= '9' || r == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		return scanNumber(s, at)
	case nameRune(r):
		end := strings.IndexFunc(s, func(r rune) bool { return !nameRune(r) })
		if end < 0 {
			end = len(s)
		}
		return token{kind: kindVariable, text: s[:end]}, end, nil
	case r == '`':
		end := strings.IndexByte(s[1:], '`')
		if end <= 0 {
			return token{}, 0, fmt.Errorf("the name that begins with a backtick at character %d does not end", at)
		}
		return token{kind: kindVariable, text: s[1 : 1+end]}, end + 2, nil
	case strings.HasPrefix(s, "||"), strings.HasPrefix(s, "%in%"):
		width := 2
		if r == '%' {
			width = 4
		}
		return token{kind: kindBinary, text: s[:width]}, width, nil
	case strings.ContainsRune("~+-*/^:|(),=", r):
		return token{kind: kindBinary, text: s[:1]}, 1, nil
	}
	return token{}, 0, fmt.Errorf("%q at character %d means nothing here", r, at)
}

func scanNumber(s string, at int) (token, int, error) {
	end := 0
	for end < len(s) {
		c := s[end]
		exponent := (c == '+' || c == '-') && end > 0 && (s[end-1] == 'e' || s[end-1] == 'E')
		if (c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && !exponent {
			break
		}
		end++
	}
	v, err := strconv.ParseFloat(s[:end], 64)
	if err != nil {
		return token{}, 0, fmt.Errorf("%q at character %d is no number", s[:end], at)
	}
	return token{kind: kindNumber, text: s[:end], num: v}, end, nil
}

type parser struct {
	tokens []token
	next   int
	depth  int
}

func (p *parser) peek() (token, bool) {
	if p.next < len(p.tokens) {
		return p.tokens[p.next], true
	}
	return token{}, false
}

func (p *parser) sign(text string) bool {
	if t, ok := p.peek(); ok && t.kind == kindBinary && t.text == text {
		p.next++
		return true
	}
	return false
}

// expression reads operators that bind at least as strongly as least.
func (p *parser) expression(least int) (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	for height := 0; ; height++ {
		t, ok := p.peek()
		s := strength[t.text]
		if !ok || t.kind != kindBinary || s == 0 || s < least {
			return left, nil
		}
		if height > maxTerms {
			return nil, fmt.Errorf("more than %d terms", maxTerms)
		}
		p.next++
		further := s + 1
		if t.text == "^" {
			further = s
		}
		right, err := p.expression(further)
		if err != nil {
			return nil, err
		}
		left = &node{kind: kindBinary, name: t.text, args: []*node{left, right}}
	}
}

func (p *parser) operand() (*node, error) {
	t, ok := p.peek()
	if !ok {
		return nil, errEnd
	}
	p.next++
	switch {
	case t.kind == kindNumber:
		return &node{kind: kindNumber, number: t.num}, nil
	case t.kind == kindVariable:
		if p.sign("(") {
			return p.call(t)
		}
		if t.text == "." {
			return nil, fmt.Errorf("the dot at character %d: name the columns one by one", t.at)
		}
		return &node{kind: kindVariable, name: t.text}, nil
	case t.text == "-" || t.text == "+":
		inner, err := p.expression(strengthUnary)
		if err != nil {
			return nil, err
		}
		if t.text == "+" {
			return inner, nil
		}
		return &node{kind: kindUnary, name: "-", args: []*node{inner}}, nil
	case t.text == "(":
		inner, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		if !p.sign(")") {
			return nil, fmt.Errorf("the parenthesis at character %d is not closed", t.at)
		}
		return &node{kind: kindParen, args: []*node{inner}}, nil
	}
	return nil, fmt.Errorf("%q at character %d is not expected there", t.text, t.at)
}

func (p *parser) call(name token) (*node, error) {
	n := &node{kind: kindCall, name: name.text}
	for !p.sign(")") {
		if len(n.args) > 0 && !p.sign(",") {
			return nil, fmt.Errorf("%s at character %d: its parenthesis is not closed", name.text, name.at)
		}
		argName := ""
		if t, ok := p.peek(); ok && t.kind == kindVariable && p.next+1 < len(p.tokens) && p.tokens[p.next+1].text == "=" {
			argName = t.text
			p.next += 2
		}
		arg, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		n.args, n.argNames = append(n.args, arg), append(n.argNames, argName)
	}
	return n, nil
}
