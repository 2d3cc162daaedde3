// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import "math"

// Table is a two-by-two table: A with and B without the event in the first
// group, C with and D without it in the second.
type Table struct {
	A, B, C, D float64
}

// corrected checks the table and adds 1/2 to each cell of a table that has a
// zero, as metafor does by default (add = 1/2, to = "only0").
func (t Table) corrected() (Table, error) {
	for _, cell := range []struct {
		name  string
		count float64
	}{{"first with event", t.A}, {"first without event", t.B}, {"second with event", t.C}, {"second without event", t.D}} {
		if err := atLeast(cell.name, cell.count, 0); err != nil {
			return t, err
		}
	}
	if t.A+t.B == 0 || t.C+t.D == 0 {
		return t, &DataError{Reason: "a group has no members"}
	}
	if t.A == 0 || t.B == 0 || t.C == 0 || t.D == 0 {
		return Table{t.A + 0.5, t.B + 0.5, t.C + 0.5, t.D + 0.5}, nil
	}
	return t, nil
}

// LogOddsRatio is log(AD/BC) with variance 1/A + 1/B + 1/C + 1/D; 1/2 is added
// to each cell only where one is zero. metafor's OR.
func LogOddsRatio(t Table) (Effect, error) {
	t, err := t.corrected()
	if err != nil {
		return Effect{}, err
	}
	return effect(math.Log(t.A/t.B)-math.Log(t.C/t.D), 1/t.A+1/t.B+1/t.C+1/t.D)
}

// LogRiskRatio is the log of the ratio of risks A/(A+B) and C/(C+D) with
// variance 1/A - 1/(A+B) + 1/C - 1/(C+D); 1/2 is added to each cell only where
// one is zero. metafor's RR.
func LogRiskRatio(t Table) (Effect, error) {
	t, err := t.corrected()
	if err != nil {
		return Effect{}, err
	}
	n1, n2 := t.A+t.B, t.C+t.D
	return effect(math.Log(t.A/n1)-math.Log(t.C/n2), 1/t.A-1/n1+1/t.C-1/n2)
}

// RiskDifference is A/(A+B) - C/(C+D) with variance AB/(A+B)³ + CD/(C+D)³; 1/2
// is added to each cell only where one is zero. metafor's RD.
func RiskDifference(t Table) (Effect, error) {
	t, err := t.corrected()
	if err != nil {
		return Effect{}, err
	}
	n1, n2 := t.A+t.B, t.C+t.D
	return effect(t.A/n1-t.C/n2, t.A*t.B/(n1*n1*n1)+t.C*t.D/(n2*n2*n2))
}

// PetoOddsRatio is the log odds ratio of Yusuf and others (1985), doi
// 10.1016/S0033-0620(85)80003-7: observed minus expected events over the
// hypergeometric variance; 1/2 is added to each cell only where one is zero.
// metafor's PETO.
func PetoOddsRatio(t Table) (Effect, error) {
	t, err := t.corrected()
	if err != nil {
		return Effect{}, err
	}
	n1, n2 := t.A+t.B, t.C+t.D
	n, events := n1+n2, t.A+t.C
	if n <= 1 {
		return Effect{}, &DataError{Reason: "a table of one person has no odds ratio"}
	}
	variance := n1 * n2 * (events / n) * ((n - events) / n) / (n - 1)
	return effect((t.A-n1*events/n)/variance, 1/variance)
}
