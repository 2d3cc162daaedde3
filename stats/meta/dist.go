// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

const log2Pi = 1.8378770664093454835606594728112353

// twoSided is P(|T| > |x|) for Student's t with df degrees of freedom, for the
// normal distribution when df is 0.
func twoSided(x, df float64) float64 {
	if df == 0 {
		return math.Erfc(math.Abs(x) / math.Sqrt2)
	}
	if math.IsInf(x, 0) {
		return 0
	}
	// Below 1 the tail is far from 0 and its complement keeps the digits of x.
	if x*x < 1 {
		return 1 - mathext.RegIncBeta(0.5, df/2, x*x/(df+x*x))
	}
	return mathext.RegIncBeta(df/2, 0.5, df/(df+x*x))
}

// critical is the value that |T| exceeds with probability alpha, above 0 and at
// most 1; df as in twoSided. Newton's method on the logarithms of both, in which the
// tail of t is nearly a line, kept inside a bracket.
func critical(alpha, df float64) float64 {
	if alpha == 1 {
		return 0
	}
	lo, hi := math.Log(1e-20), math.Log(40.0)
	for df > 0 && twoSided(math.Exp(hi), df) > alpha && hi < 600 {
		hi += 10
	}
	u := min(max(math.Log(math.Sqrt2*math.Erfinv(1-alpha)), lo), hi)
	for range 200 {
		t := math.Exp(u)
		p := twoSided(t, df)
		if p > alpha {
			lo = u
		} else {
			hi = u
		}
		next := u + p*math.Log(p/alpha)/(2*density(t, df)*t)
		if !(next > lo && next < hi) {
			next = (lo + hi) / 2
		}
		if math.Abs(next-u) < 1e-15*max(1, math.Abs(u)) || hi-lo < 1e-16 {
			break
		}
		u = next
	}
	return math.Exp(u)
}

// density of Student's t, of the normal distribution for df 0.
func density(t, df float64) float64 {
	if df == 0 {
		return math.Exp(-t*t/2) / math.Sqrt(2*math.Pi)
	}
	a, _ := math.Lgamma((df + 1) / 2)
	b, _ := math.Lgamma(df / 2)
	return math.Exp(a-b-(df+1)/2*math.Log1p(t*t/df)) / math.Sqrt(df*math.Pi)
}

// chi2Tail is P(X > x) for chi-square with df degrees of freedom; 1 when df is
// 0, where the statistic is 0 by construction.
func chi2Tail(x, df float64) float64 {
	switch {
	case df <= 0 || x <= 0:
		return 1
	case df == 1:
		return math.Erfc(math.Sqrt(x / 2))
	}
	return mathext.GammaIncRegComp(df/2, x/2)
}

// chi2Quantile is the value that chi-square exceeds with probability upper.
func chi2Quantile(upper, df float64) float64 {
	x := 2 * mathext.GammaIncRegCompInv(df/2, upper)
	lg, _ := math.Lgamma(df / 2)
	for range 3 {
		density := math.Exp((df/2-1)*math.Log(x/2)-x/2-lg) / 2
		step := (chi2Tail(x, df) - upper) / density
		if math.IsNaN(step) || math.IsInf(step, 0) || math.Abs(step) > x/2 {
			break
		}
		x += step
	}
	return x
}

// fTail is P(F > x) with df1 and df2 degrees of freedom; df2 of 0 stands for
// infinity, where df1*F is chi-square.
func fTail(x, df1, df2 float64) float64 {
	if x <= 0 {
		return 1
	}
	if df2 == 0 {
		return chi2Tail(x*df1, df1)
	}
	if x < 1 {
		return 1 - mathext.RegIncBeta(df1/2, df2/2, df1*x/(df1*x+df2))
	}
	return mathext.RegIncBeta(df2/2, df1/2, df2/(df2+df1*x))
}
