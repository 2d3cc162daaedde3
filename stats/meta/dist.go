// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

const log2Pi = 1.8378770664093454835606594728112353

// normalQuantile is the inverse of the normal distribution function.
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// twoSided is P(|T| > |x|) for Student's t with df degrees of freedom, for the
// normal distribution when df is 0.
func twoSided(x, df float64) float64 {
	if df == 0 {
		return math.Erfc(math.Abs(x) / math.Sqrt2)
	}
	if math.IsInf(x, 0) {
		return 0
	}
	// Of two forms of the same integral, take the one whose argument is small.
	t2 := x * x
	if t2 < df {
		return 1 - mathext.RegIncBeta(0.5, df/2, t2/(df+t2))
	}
	return mathext.RegIncBeta(df/2, 0.5, df/(df+t2))
}

// critical is the value that |T| exceeds with probability alpha; df as in
// twoSided.
func critical(alpha, df float64) float64 {
	if df == 0 {
		return -normalQuantile(alpha / 2)
	}
	x := mathext.InvRegIncBeta(df/2, 0.5, alpha)
	t := math.Sqrt(df * (1 - x) / x)
	// The inverse is good to half the digits where x is near 0 or 1.
	for range 3 {
		step := (twoSided(t, df) - alpha) / (2 * studentDensity(t, df))
		if math.IsNaN(step) || math.IsInf(step, 0) || math.Abs(step) > t/2 {
			break
		}
		t += step
	}
	return t
}

func studentDensity(t, df float64) float64 {
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
	if df1*x < df2 {
		return 1 - mathext.RegIncBeta(df1/2, df2/2, df1*x/(df1*x+df2))
	}
	return mathext.RegIncBeta(df2/2, df1/2, df2/(df2+df1*x))
}
