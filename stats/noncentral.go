// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// NoncentralChiSquared is the distribution of a sum of K squared normal variables
// of variance 1 whose squared means sum to Lambda.
type NoncentralChiSquared struct {
	K      float64 // degrees of freedom, positive
	Lambda float64 // noncentrality, not negative
}

// CDF returns the probability of a value up to x, to about 13 digits.
//
// Source: the mixture of central distributions with Poisson weights, Johnson,
// Kotz & Balakrishnan (1995), eq. 29.2, summed both ways from its largest weight.
func (d NoncentralChiSquared) CDF(x float64) float64 { return d.mixture(x, false) }

// Survival returns the probability of a value above x, to about 13 digits also
// where it is small.
func (d NoncentralChiSquared) Survival(x float64) float64 { return d.mixture(x, true) }

func (d NoncentralChiSquared) mixture(x float64, upper bool) float64 {
	if !(d.K > 0) || !(d.Lambda >= 0) {
		panic("stats: noncentral chi-squared with K <= 0 or Lambda < 0")
	}
	if math.IsNaN(x) {
		return math.NaN()
	}
	if x <= 0 || math.IsInf(x, 1) {
		if upper == (x <= 0) {
			return 1
		}
		return 0
	}
	if d.Lambda > manyTerms {
		return d.sankaran(x, upper)
	}
	y, l := x/2, d.Lambda/2
	if l == 0 {
		return centralTail(d.K/2, y, upper)
	}
	middle := math.Floor(l)
	weight := poisson(middle, l)
	a := d.K/2 + middle
	tail := centralTail(a, y, upper)
	// P(a+1, y) = P(a, y) - y^a e^-y / Gamma(a+1)
	step := poisson(a, y)
	sum := weight * tail
	w, t, s := weight, tail, step
	for j := middle + 1; ; j++ {
		if upper {
			t += s
		} else {
			t = math.Max(0, t-s)
		}
		s *= y / (d.K/2 + j)
		w *= l / j
		sum += w * t
		if w < 1e-18*weight && j > l || w == 0 {
			break
		}
	}
	w, t, s = weight, tail, step
	for j := middle; j > 0; j-- {
		s *= (d.K/2 + j) / y
		if upper {
			t = math.Max(0, t-s)
		} else {
			t += s
		}
		w *= j / l
		sum += w * t
		if w < 1e-18*weight || w == 0 {
			break
		}
	}
	return math.Min(1, sum)
}

// manyTerms is the noncentrality from which the mixture would need 100,000 terms
// and a normal approximation has ten digits.
const manyTerms = 1e8

// sankaran is the normal approximation of Sankaran (1959), Biometrika 46, to a
// power of the variable.
func (d NoncentralChiSquared) sankaran(x float64, upper bool) float64 {
	k, l := d.K, d.Lambda
	h := 1 - 2*(k+l)*(k+3*l)/(3*(k+2*l)*(k+2*l))
	p := (k + 2*l) / ((k + l) * (k + l))
	m := (h - 1) * (1 - 3*h)
	z := (math.Pow(x/(k+l), h) - (1 + h*p*(h-1-(2-h)*m*p/2))) / (h * math.Sqrt(2*p) * (1 + m*p/2))
	if upper {
		z = -z
	}
	return normalCDF(z)
}

// poisson returns l^m e^-l / Gamma(m+1); for large m by Stirling's series about
// m = l, since the three factors would cancel most digits (Loader 2000).
func poisson(m, l float64) float64 {
	if m < 30 {
		lg, _ := math.Lgamma(m + 1)
		return math.Exp(m*math.Log(l) - l - lg)
	}
	d := l - m
	stirling := 1/(12*m) - 1/(360*m*m*m) + 1/(1260*m*m*m*m*m)
	return math.Exp(m*math.Log1p(d/m)-d-stirling) / math.Sqrt(2*math.Pi*m)
}

func centralTail(a, y float64, upper bool) float64 {
	if upper {
		return mathext.GammaIncRegComp(a, y)
	}
	return mathext.GammaIncReg(a, y)
}

// NoncentralityFor returns the Lambda at which CDF(x) is p for k degrees of
// freedom, or 0 if CDF(x) is below p already without noncentrality: a limit of
// an interval for Lambda.
func NoncentralityFor(x, k, p float64) float64 {
	cdf := func(l float64) float64 { return NoncentralChiSquared{K: k, Lambda: l}.CDF(x) }
	if !(p > 0 && p < 1) {
		panic("stats: probability outside (0, 1)")
	}
	if cdf(0) <= p {
		return 0
	}
	lo, hi := 0.0, math.Max(x, 1)
	for cdf(hi) > p {
		lo, hi = hi, 2*hi
	}
	return bisect(lo, hi, func(l float64) float64 { return cdf(l) - p })
}

// bisect finds the zero of a falling function between lo and hi by the Illinois
// variant of false position, which keeps the zero enclosed.
func bisect(lo, hi float64, f func(float64) float64) float64 {
	flo, fhi := f(lo), f(hi)
	side := 0
	for range 200 {
		if hi-lo <= 1e-13*math.Max(1, hi) || flo == fhi {
			break
		}
		mid := (lo*fhi - hi*flo) / (fhi - flo)
		if !(mid > lo && mid < hi) {
			mid = (lo + hi) / 2
		}
		v := f(mid)
		switch {
		case v == 0:
			return mid
		case v > 0:
			lo, flo = mid, v
			if side == 1 {
				fhi /= 2
			}
			side = 1
		default:
			hi, fhi = mid, v
			if side == -1 {
				flo /= 2
			}
			side = -1
		}
	}
	return (lo + hi) / 2
}
