// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A cell that holds a number keeps it whole until the table is written, as only
// then the number of digits is known. The marks are not used in names.
const (
	numberMark = "\x00n"
	pMark      = "\x00p"
)

// num is a cell with a number.
func num(v float64) string {
	if math.Abs(v) == math.MaxFloat64 {
		return "none" // an end that an interval does not have
	}
	return numberMark + strconv.FormatFloat(v, 'g', -1, 64)
}

// opt is a cell with a number that may not be there.
func opt(v *float64) string {
	if v == nil {
		return ""
	}
	return num(*v)
}

// prob is a cell with a p-value.
func prob(v float64) string {
	return pMark + strconv.FormatFloat(v, 'g', -1, 64)
}

func whole(n int) string { return strconv.Itoa(n) }

func isNumber(cell string) bool {
	_, err := strconv.ParseFloat(cell, 64)
	return err == nil || strings.HasPrefix(cell, "\x00")
}

// atDigits writes a cell's number.
func atDigits(cell string, digits int) string {
	if t, ok := strings.CutPrefix(cell, numberMark); ok {
		v, _ := strconv.ParseFloat(t, 64)
		return decimal(v, digits)
	}
	if t, ok := strings.CutPrefix(cell, pMark); ok {
		v, _ := strconv.ParseFloat(t, 64)
		return pText(v, digits)
	}
	return cell
}

// decimal writes with a fixed number of digits, and in powers of ten where that
// would show nothing or too much.
func decimal(v float64, digits int) string {
	if v != 0 && math.Abs(v) < math.Pow(10, -float64(digits))/2 || math.Abs(v) >= 1e10 {
		return strconv.FormatFloat(v, 'e', max(0, digits-2), 64)
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

func pText(p float64, digits int) string {
	digits = max(digits, 1)
	if p < math.Pow(10, -float64(digits)) {
		return "<" + strings.TrimPrefix(strconv.FormatFloat(math.Pow(10, -float64(digits)), 'f', digits, 64), "0")
	}
	return strconv.FormatFloat(p, 'f', digits, 64)
}

// df writes degrees of freedom: whole ones without a point.
func df(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// inline numbers in sentences have four significant digits.
func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

func pShort(p float64) string {
	if p < .0001 {
		return "p\u00a0<\u00a0.0001"
	}
	return fmt.Sprintf("p\u00a0=\u00a0%.4f", p)
}

func percent(level float64) string {
	return strconv.FormatFloat(100*level, 'g', 4, 64) + " %"
}
