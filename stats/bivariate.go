// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// legendre holds the nodes and weights of Gauss and Legendre on [0, 1].
type legendre struct{ x, w []float64 }

func newLegendre(n int) legendre {
	l := legendre{make([]float64, n), make([]float64, n)}
	quad.Legendre{}.FixedLocations(l.x, l.w, 0, 1)
	return l
}

var legendre6, legendre12, legendre20 = newLegendre(6), newLegendre(12), newLegendre(20)

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// BivariateNormalDensity returns the density at (x, y) of two normal variables
// of mean 0, variance 1 and correlation rho, |rho| < 1.
func BivariateNormalDensity(x, y, rho float64) float64 {
	s := (1 - rho) * (1 + rho)
	return math.Exp(-(x*x-2*rho*x*y+y*y)/(2*s)) / (2 * math.Pi * math.Sqrt(s))
}

// BivariateNormalCDF returns the probability that two normal variables of mean 0,
// variance 1 and correlation rho lie below x and y; infinite limits are allowed.
// The absolute error is about 1e-15.
//
// Source: Drezner & Wesolowsky (1990), with the treatment of large |rho| by Genz
// (2004), Statistics and Computing 14, eqs 3 and 6.
func BivariateNormalCDF(x, y, rho float64) float64 {
	switch {
	case math.IsNaN(x+y+rho) && !math.IsInf(x, 0) && !math.IsInf(y, 0), math.Abs(rho) > 1:
		return math.NaN()
	case math.IsInf(x, -1) || math.IsInf(y, -1):
		return 0
	case math.IsInf(x, 1):
		return normalCDF(y)
	case math.IsInf(y, 1):
		return normalCDF(x)
	case rho == 0:
		return normalCDF(x) * normalCDF(y)
	}
	var p float64
	if math.Abs(rho) < .925 {
		p = byAngle(x, y, rho)
	} else {
		p = nearOne(x, y, rho)
	}
	return math.Max(0, math.Min(1, p))
}

// byAngle integrates over the arc sine of the correlation.
func byAngle(x, y, rho float64) float64 {
	l := legendre20
	switch r := math.Abs(rho); {
	case r < .3:
		l = legendre6
	case r < .75:
		l = legendre12
	}
	hk, hs, asr := x*y, (x*x+y*y)/2, math.Asin(rho)
	var sum float64
	for i, t := range l.x {
		sn := math.Sin(asr * t)
		sum += l.w[i] * math.Exp((sn*hk-hs)/((1-sn)*(1+sn)))
	}
	return sum*asr/(2*math.Pi) + normalCDF(x)*normalCDF(y)
}

// nearOne integrates what separates rho from 1 or -1, less the first terms of
// its expansion, which have a closed form. With rho below zero the second
// variable is turned.
func nearOne(x, y, rho float64) float64 {
	h, k := -x, -y
	if rho < 0 {
		k = -k
	}
	hk := h * k
	var part float64
	if as := (1 - rho) * (1 + rho); as > 0 {
		a := math.Sqrt(as)
		bs := (h - k) * (h - k)
		c, d := (4-hk)/8, (12-hk)/16
		if e := -(bs/as + hk) / 2; e > -100 {
			part = a * math.Exp(e) * (1 - c*(bs-as)*(1-d*bs/5)/3 + c*d*as*as/5)
		}
		if hk > -100 {
			b := math.Sqrt(bs)
			part -= math.Exp(-hk/2) * math.Sqrt(2*math.Pi) * normalCDF(-b/a) * b * (1 - c*bs*(1-d*bs/5)/3)
		}
		for i, t := range legendre20.x {
			xs := a * t * a * t
			if e := -(bs/xs + hk) / 2; e > -100 {
				rs := math.Sqrt(1 - xs)
				part += a * legendre20.w[i] * math.Exp(e) * (math.Exp(-hk*xs/(2*(1+rs)*(1+rs)))/rs - (1 + c*xs*(1+d*xs)))
			}
		}
		part /= -2 * math.Pi
	}
	if rho > 0 {
		return part + normalCDF(-math.Max(h, k))
	}
	p := -part
	if k > h {
		if h < 0 {
			p += normalCDF(k) - normalCDF(h)
		} else {
			p += normalCDF(-h) - normalCDF(-k)
		}
	}
	return p
}
