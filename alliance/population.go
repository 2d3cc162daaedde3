// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"errors"
	"fmt"
	"math"
)

// Population is what a practice's courses are like before one of them is looked
// at, in points of the form with higher better. A rating in session t of a person
// is Level + Growth ln t, with a level and a growth of their own, plus deviations
// with a spread of their own that remember the session before.
type Population struct {
	Level, LevelSD   float64 // in the first session, over people
	Growth, GrowthSD float64 // for each unit of ln t, over people
	Together         float64 // correlation of level and growth over people
	Within           float64 // median over people of the SD within a person
	WithinLogSD      float64 // SD over people of its logarithm
	Auto             float64 // correlation of the deviations of neighbouring sessions
}

// Check says what makes no sense in a population.
func (p Population) Check() error {
	for _, x := range []struct {
		name      string
		v         float64
		low, high float64
	}{
		{"the level", p.Level, -1e9, 1e9}, {"the SD of the level", p.LevelSD, 0, 1e9}, {"the growth", p.Growth, -1e9, 1e9}, {"the SD of the growth", p.GrowthSD, 0, 1e9},
		{"the correlation of level and growth", p.Together, -1, 1}, {"the SD within a person", p.Within, 1e-9, 1e9}, {"the spread of that SD", p.WithinLogSD, 0, 3}, {"the autocorrelation", p.Auto, -.95, .95},
	} {
		if !(x.v >= x.low && x.v <= x.high) {
			return fmt.Errorf("alliance: %s is %v; it must lie between %v and %v", x.name, x.v, x.low, x.high)
		}
	}
	return nil
}

// ErrFewCourses is returned for courses too few or too short to tell a population.
var ErrFewCourses = errors.New("alliance: a population needs at least 8 courses of 4 ratings")

// fewest courses and ratings in each that count for a population.
const (
	fewestCourses = 8
	fewestRatings = 4
)

// EstimatePopulation estimates a population from courses: ratings by session, NaN
// where there was none; those with fewer than four ratings are left out. It works
// by moments: a line on ln t is fitted to each course; what the lines differ by
// beyond the error of each is the spread over people, and the spread of the
// logarithms of the residual variances beyond that of a chi-square is the spread
// of the SDs (mean and variance of a log chi-square: digamma and trigamma of half
// its degrees of freedom). Errors: ErrFewCourses.
func EstimatePopulation(courses [][]float64) (Population, error) {
	var lines []line
	for _, c := range courses {
		if l, ok := fitLine(c); ok {
			lines = append(lines, l)
		}
	}
	if len(lines) < fewestCourses {
		return Population{}, ErrFewCourses
	}
	var p Population
	var auto, autoN, pooled, degrees float64
	for _, l := range lines {
		pooled, degrees = pooled+l.rss, degrees+l.df
		auto, autoN = auto+l.cross, autoN+l.rss
	}
	s2 := pooled / degrees
	const rounding = 1e-20 // of numbers that differ by nothing else, as a share of their square
	if !(s2 > rounding*(1+lines[0].a*lines[0].a)) {
		return Population{}, fmt.Errorf("alliance: the ratings of no course vary: %w", ErrFewCourses)
	}
	p.Auto = unbiasedAuto(auto/autoN, lines)
	p.Within, p.WithinLogSD = spread(lines, s2)
	n := float64(len(lines))
	var va, vg, cag, ea, eg, eag float64
	for _, l := range lines {
		p.Level += l.a / n
		p.Growth += l.g / n
		ea, eg, eag = ea+s2*l.vaa/n, eg+s2*l.vgg/n, eag+s2*l.vag/n
	}
	for _, l := range lines {
		va += (l.a - p.Level) * (l.a - p.Level) / (n - 1)
		vg += (l.g - p.Growth) * (l.g - p.Growth) / (n - 1)
		cag += (l.a - p.Level) * (l.g - p.Growth) / (n - 1)
	}
	// Neighbouring deviations that go together make lines differ more than their own errors say.
	more := (1 + p.Auto) / (1 - p.Auto)
	va, vg, cag = max(0, va-more*ea), max(0, vg-more*eg), cag-more*eag
	// People are never alike: to take a small sample's word that they are would make
	// every growth look like a change. Its correlation is taken for less than it says.
	p.LevelSD, p.GrowthSD = max(math.Sqrt(va), .2*p.Within), max(math.Sqrt(vg), .2*p.Within)
	p.Together = min(.9, max(-.9, cag/(p.LevelSD*p.GrowthSD))) * n / (n + 50)
	return p, nil
}

// line is a course's least squares line on ln t.
type line struct {
	a, g, rss, df, cross float64
	vaa, vgg, vag        float64 // (X'X)^-1
	n                    float64
}

func fitLine(y []float64) (l line, ok bool) {
	var sx, sxx, sy, sxy float64
	for i, v := range y {
		if number(v) {
			x := math.Log(float64(i + 1))
			l.n++
			sx, sxx, sy, sxy = sx+x, sxx+x*x, sy+v, sxy+x*v
		}
	}
	det := l.n*sxx - sx*sx
	if l.n < fewestRatings || !(det > 1e-9) {
		return l, false
	}
	l.vaa, l.vgg, l.vag = sxx/det, l.n/det, -sx/det
	l.a, l.g, l.df = l.vaa*sy+l.vag*sxy, l.vag*sy+l.vgg*sxy, l.n-2
	before := math.NaN()
	for i, v := range y {
		if !number(v) {
			before = math.NaN()
			continue
		}
		r := v - l.a - l.g*math.Log(float64(i+1))
		l.rss += r * r
		if !math.IsNaN(before) {
			l.cross += r * before
		}
		before = r
	}
	return l, true
}

// unbiasedAuto adds what fitting a line takes away: residuals of n independent
// ratings around a line go together by about -(p+1)/n, p the line's two values.
func unbiasedAuto(r float64, lines []line) float64 {
	mean := 0.0
	for _, l := range lines {
		mean += l.n / float64(len(lines))
	}
	return min(.8, max(-.2, (r+2/mean)/(1-2/mean)))
}

// spread gives median and log-SD of the people's SDs.
func spread(lines []line, s2 float64) (median, logSD float64) {
	var logs, noise []float64
	for _, l := range lines {
		// A course without any variation has no logarithm: a tenth of the pooled SD stands for it.
		v := max(l.rss/l.df, s2/100)
		logs = append(logs, math.Log(v)-(digamma(l.df/2)-math.Log(l.df/2)))
		noise = append(noise, trigamma(l.df/2))
	}
	m, n := mean(logs), float64(len(logs))
	v := 0.0
	for i := range logs {
		v += ((logs[i]-m)*(logs[i]-m)*n/(n-1) - noise[i]) / n
	}
	return math.Exp(m / 2), min(1, math.Sqrt(max(0, v))/2)
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

// digamma and trigamma by recurrence and the asymptotic series (Abramowitz &
// Stegun 1964, 6.3.18 and 6.4.12), for x > 0.
func digamma(x float64) (y float64) {
	for ; x < 6; x++ {
		y -= 1 / x
	}
	f := 1 / (x * x)
	return y + math.Log(x) - .5/x - f*(1./12-f*(1./120-f*(1./252-f*(1./240))))
}

func trigamma(x float64) (y float64) {
	for ; x < 6; x++ {
		y += 1 / (x * x)
	}
	f := 1 / (x * x)
	return y + 1/x + f/2 + f/x*(1./6-f*(1./30-f*(1./42-f*(1./30))))
}
