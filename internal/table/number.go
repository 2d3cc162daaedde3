// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"math"
	"strconv"
	"strings"
)

// Decimal is the decimal sign of a column.
type Decimal int

// The decimal signs a column can have. DecimalAuto decides for each cell and
// refuses what has two readings; the others take the second sign for thousands.
const (
	DecimalAuto Decimal = iota
	DecimalPoint
	DecimalComma
)

// DefaultMissing are the texts that [ParseNumber] takes for a missing value
// when it is given none, compared without case and outer spaces.
var DefaultMissing = []string{"", "NA", "N.A.", "N/A", "-", "."}

// ParseNumber reads one cell as a number: digits with sign, one decimal sign,
// thousands in groups of three (point, comma, space, apostrophe) and an exponent
// (1,5E-3). missing reports one of the missing texts (by default
// [DefaultMissing]; the empty cell always); v is then NaN. Anything else is a
// [*Problem]: "1,234" without a chosen sign is CodeNumberAmbiguous, "3 mg" is
// CodeNumber. The result is always finite.
func ParseNumber(s string, decimal Decimal, missingTexts ...string) (v float64, missing bool, err error) {
	text := strings.TrimSpace(s)
	if missingTexts == nil {
		missingTexts = DefaultMissing
	}
	if text == "" {
		return math.NaN(), true, nil
	}
	for _, m := range missingTexts {
		if strings.EqualFold(text, strings.TrimSpace(m)) {
			return math.NaN(), true, nil
		}
	}
	plain, other, ok := normalise(text, decimal)
	if !ok {
		return math.NaN(), false, &Problem{Code: CodeNumber, Value: shown(s)}
	}
	if other != "" {
		point, comma := plain, other
		return math.NaN(), false, &Problem{Code: CodeNumberAmbiguous, Value: shown(s), Args: map[string]string{"point": point, "comma": comma}}
	}
	v, err = strconv.ParseFloat(plain, 64)
	if err != nil {
		return math.NaN(), false, &Problem{Code: CodeNumberRange, Value: shown(s)}
	}
	return v, false, nil
}

// normalise writes a number the way strconv reads it. Where auto finds two
// readings, plain is that with a decimal point and other that with a comma.
func normalise(s string, decimal Decimal) (plain, other string, ok bool) {
	sign, rest := "", s
	for _, m := range []struct{ text, sign string }{{"+", ""}, {"-", "-"}, {"\u2212", "-"}} {
		if t, found := strings.CutPrefix(rest, m.text); found {
			sign, rest = m.sign, t
			break
		}
	}
	mantissa, exponent := rest, ""
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa, exponent = rest[:i], rest[i+1:]
		digits := strings.TrimLeft(exponent, "+-")
		if len(exponent)-len(digits) > 1 || !allDigits(digits) || len(digits) > 4 {
			return "", "", false
		}
		exponent = "e" + exponent
	}
	read := func(point bool) (string, bool) {
		p, ok := positional(mantissa, point)
		return sign + p + exponent, ok
	}
	p, pointOK := read(true)
	c, commaOK := read(false)
	switch {
	case decimal == DecimalPoint:
		return p, "", pointOK
	case decimal == DecimalComma:
		return c, "", commaOK
	case pointOK && commaOK && p != c:
		return p, c, true
	case pointOK:
		return p, "", true
	default:
		return c, "", commaOK
	}
}

// positional reads digits with thousands and a decimal part, the decimal sign
// being a point or a comma and the other one of the possible thousands signs.
func positional(s string, point bool) (string, bool) {
	decimalSign, thousands := ",", "."
	if point {
		decimalSign, thousands = ".", ","
	}
	whole, fraction, has := strings.Cut(s, decimalSign)
	if has && !allDigits(fraction) && fraction != "" {
		return "", false
	}
	if whole == "" && fraction == "" {
		return "", false
	}
	if whole != "" && !allDigits(whole) {
		var ok bool
		if whole, ok = ungroup(whole, thousands); !ok {
			return "", false
		}
	}
	if whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return whole, true
	}
	return whole + "." + fraction, true
}

// ungroup takes the thousands signs out: one kind of sign, a first group of one
// to three digits that is not a zero, then groups of three.
func ungroup(s, thousands string) (string, bool) {
	for _, sign := range []string{thousands, " ", "\u00a0", "\u202f", "'", "\u2019"} {
		groups := strings.Split(s, sign)
		if len(groups) < 2 {
			continue
		}
		for i, g := range groups {
			if !allDigits(g) || i > 0 && len(g) != 3 || i == 0 && (len(g) > 3 || g[0] == '0') {
				return "", false
			}
		}
		return strings.Join(groups, ""), true
	}
	return "", false
}

func allDigits(s string) bool {
	if s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
