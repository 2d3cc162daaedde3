// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"fmt"
	"math"
	"slices"
)

// functions of one number that a formula may name.
var functions = map[string]func(float64) float64{
	"I": func(x float64) float64 { return x }, "log": math.Log, "log2": math.Log2, "log10": math.Log10,
	"log1p": math.Log1p, "exp": math.Exp, "sqrt": math.Sqrt, "abs": math.Abs,
}

// checkArithmetic says whether n can be computed for a row: a variable, a known
// function, and below it arithmetic.
func checkArithmetic(n *node) error {
	switch n.kind {
	case kindVariable, kindNumber:
		return nil
	case kindBinary:
		if !slices.Contains([]string{"+", "-", "*", "/", "^"}, n.name) {
			return fmt.Errorf("%s has no meaning inside %s", n.name, n.deparse())
		}
	case kindCall:
		if err := checkCall(n); err != nil {
			return err
		}
	}
	for i, a := range n.args {
		if n.kind == kindCall && n.argNames[i] != "" {
			continue
		}
		if n.kind != kindCall && a.kind == kindCall && (a.name == "factor" || a.name == "as.factor") {
			return fmt.Errorf("%s is a factor, and nothing can be reckoned with it", a.deparse())
		}
		if err := checkArithmetic(a); err != nil {
			return err
		}
	}
	return nil
}

func checkCall(n *node) error {
	switch n.name {
	case "scale":
		if len(n.args) == 0 || n.argNames[0] != "" {
			return fmt.Errorf("%s: scale takes a variable first", n.deparse())
		}
		for i, name := range n.argNames[1:] {
			a := n.args[i+1]
			if name != "center" && name != "scale" || a.kind != kindVariable || truth(a.name) == 0 {
				return fmt.Errorf("%s: scale takes center = TRUE or FALSE and scale = TRUE or FALSE", n.deparse())
			}
		}
		return nil
	case "factor", "as.factor":
		if len(n.args) != 1 || n.argNames[0] != "" || n.args[0].kind != kindVariable {
			return fmt.Errorf("%s: it takes one variable", n.deparse())
		}
		return nil
	}
	if functions[n.name] == nil {
		return fmt.Errorf("the function %s is not known here; there are I, log, log2, log10, log1p, exp, sqrt, abs, scale, factor and offset", n.name)
	}
	if len(n.args) != 1 || n.argNames[0] != "" {
		return fmt.Errorf("%s: %s takes one argument", n.deparse(), n.name)
	}
	return nil
}

func truth(name string) int {
	switch name {
	case "TRUE", "T":
		return 1
	case "FALSE", "F":
		return -1
	}
	return 0
}

// affine is what scale() did to the data that a model was fitted to.
type affine struct{ center, scale float64 }

// evaluator computes variables of a formula for the rows of a frame. It
// remembers what scale() found, so that new data are scaled alike.
type evaluator struct {
	frame *Frame
	known map[string]affine
}

// column computes a variable of the formula.
func (e *evaluator) column(n *node) (*Column, error) {
	if n.kind == kindVariable {
		return e.frame.Column(n.name)
	}
	if n.kind == kindCall && (n.name == "factor" || n.name == "as.factor") {
		c, err := e.frame.Column(n.args[0].name)
		if err != nil {
			return nil, err
		}
		return c.AsFactor().Renamed(n.deparse()), nil
	}
	v, err := e.numbers(n)
	if err != nil {
		return nil, err
	}
	return &Column{name: n.deparse(), kind: Numeric, numbers: v}, nil
}

// numbers computes an arithmetic expression; NaN where a value is missing.
func (e *evaluator) numbers(n *node) ([]float64, error) {
	switch n.kind {
	case kindNumber:
		v := make([]float64, e.frame.rows)
		for i := range v {
			v[i] = n.number
		}
		return v, nil
	case kindVariable:
		c, err := e.frame.Column(n.name)
		if err != nil {
			return nil, err
		}
		if c.kind == Factor {
			return nil, fmt.Errorf("column %q is a factor (%s), and a number is needed", n.name, quoteAll(c.levels, 4))
		}
		return c.numbers, nil
	}
	args := make([][]float64, 0, 2)
	for i, a := range n.args {
		if n.kind == kindCall && n.argNames[i] != "" {
			continue
		}
		v, err := e.numbers(a)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	if n.kind == kindCall && n.name == "scale" {
		return e.scaled(n, args[0])
	}
	return apply(n, args)
}

// apply computes one operator or function, row by row.
func apply(n *node, args [][]float64) ([]float64, error) {
	f := func(row int) float64 { return args[0][row] }
	switch {
	case n.kind == kindUnary:
		f = func(row int) float64 { return -args[0][row] }
	case n.kind == kindCall:
		g := functions[n.name]
		f = func(row int) float64 { return g(args[0][row]) }
	case n.kind == kindBinary:
		g := arithmetic(n.name)
		f = func(row int) float64 { return g(args[0][row], args[1][row]) }
	}
	v := make([]float64, len(args[0]))
	for row := range v {
		missing := slices.ContainsFunc(args, func(a []float64) bool { return math.IsNaN(a[row]) })
		v[row] = f(row)
		if missing {
			v[row] = math.NaN()
		} else if math.IsNaN(v[row]) || math.IsInf(v[row], 0) {
			return nil, fmt.Errorf("row %d: %s is %v for %v", row+1, n.deparse(), v[row], args[0][row])
		}
	}
	return v, nil
}

func arithmetic(op string) func(a, b float64) float64 {
	switch op {
	case "+":
		return func(a, b float64) float64 { return a + b }
	case "-":
		return func(a, b float64) float64 { return a - b }
	case "*":
		return func(a, b float64) float64 { return a * b }
	case "/":
		return func(a, b float64) float64 { return a / b }
	}
	return math.Pow
}

// scaled centres and divides by the standard deviation as R's scale: without
// centring the divisor is the root mean square.
func (e *evaluator) scaled(n *node, v []float64) ([]float64, error) {
	label := n.deparse()
	a, ok := e.known[label]
	if !ok {
		center, scale := true, true
		for i, name := range n.argNames {
			if name == "center" {
				center = truth(n.args[i].name) > 0
			}
			if name == "scale" {
				scale = truth(n.args[i].name) > 0
			}
		}
		a = affine{0, 1}
		if center {
			a.center, _ = meanOf(v)
		}
		if scale {
			if a.scale = rootMeanSquare(v, a.center); !(a.scale > 0) {
				return nil, fmt.Errorf("%s: the column does not vary", label)
			}
		}
		if e.known != nil {
			e.known[label] = a
		}
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = (x - a.center) / a.scale
	}
	return out, nil
}

// meanOf returns the mean of what is not missing, in two passes, and the count.
func meanOf(v []float64) (mean float64, count int) {
	var total float64
	for _, x := range v {
		if !math.IsNaN(x) {
			total += x
			count++
		}
	}
	if count == 0 {
		return 0, 0
	}
	mean = total / float64(count)
	total = 0
	for _, x := range v {
		if !math.IsNaN(x) {
			total += x - mean
		}
	}
	return mean + total/float64(count), count
}

func rootMeanSquare(v []float64, center float64) float64 {
	var total float64
	count := 0
	for _, x := range v {
		if !math.IsNaN(x) {
			total += (x - center) * (x - center)
			count++
		}
	}
	if count < 2 {
		return 0
	}
	return math.Sqrt(total / float64(count-1))
}
