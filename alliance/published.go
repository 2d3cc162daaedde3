// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"math"
	"slices"

	"github.com/entente-project/entente/stats/psych"
)

// Published is a rule for a fall from the literature, or in use elsewhere, as a
// number that is larger the more it speaks for a fall now: the rule alarms where
// the number exceeds a limit. Its paper's limit is Limit, 0 where it names none.
type Published struct {
	ID, Name, Source string // ID is what a setting holds
	Limit            float64
	// Of gives the number for the newest of a course's ratings, NaN where a session
	// was not rated; -Inf while the rule cannot speak. Higher ratings are better.
	Of func(ratings []float64, p Population) float64
}

// PublishedRules are the rules a practice may set beside ours.
func PublishedRules() []Published {
	return []Published{
		{"raw-fall", "raw fall", "Duncan & Miller (2008), points since the session before", 1, rawFall},
		{"cutoff", "cutoff", "absolute level, as the SRS's 36 of 40 (Duncan et al. 2003)", 0, belowLevel},
		{"reliable-change", "reliable change", "Jacobson & Truax (1991), since the first session", 0, sinceFirst},
		{"criterion", "criterion", "Strauss et al. (2006), Stiles et al. (2004), the stricter SD after Gumz et al. (2012)", 1, criterion},
		{"individuals-chart", "individuals chart", "moving range; Eubanks-Carter, Gorman & Muran (2012)", 3, individuals},
		{"running-baseline", "running baseline", "mean and SD of the sessions before", 2, baseline},
		{"western-electric", "Western Electric", "runs on the individuals chart; Western Electric (1956)", 3, westernElectric},
		{"ewma", "EWMA", "Roberts (1959), self-starting, weight .3", 3, ewma},
		{"cusum", "CUSUM", "Page (1954); self-starting, Hawkins (1987), allowance .5", 4, cusum},
		{"sudden-loss", "sudden loss", "Tang & DeRubeis (1999), third criterion, for a loss", 1, suddenLoss},
	}
}

var cannot = math.Inf(-1)

// given are the ratings without gaps; false if the newest session was not rated.
func given(ratings []float64) ([]float64, bool) {
	if n := len(ratings); n == 0 || !number(ratings[n-1]) {
		return nil, false
	}
	if !slices.ContainsFunc(ratings, math.IsNaN) {
		return ratings, true
	}
	out := make([]float64, 0, len(ratings))
	for _, v := range ratings {
		if number(v) {
			out = append(out, v)
		}
	}
	return out, true
}

func rawFall(ratings []float64, _ Population) float64 {
	y, ok := given(ratings)
	if n := len(y); ok && n >= 2 {
		return y[n-2] - y[n-1]
	}
	return cannot
}

func belowLevel(ratings []float64, p Population) float64 {
	y, ok := given(ratings)
	if !ok {
		return cannot
	}
	return p.Level - y[len(y)-1]
}

func sinceFirst(ratings []float64, _ Population) float64 {
	y, ok := given(ratings)
	if n := len(y); ok && n >= 2 {
		return y[0] - y[n-1]
	}
	return cannot
}

func criterion(ratings []float64, p Population) float64 {
	y, ok := given(ratings)
	n := len(y)
	if !ok || n < 3 {
		return cannot
	}
	_, s := momentsOf(y)
	return (y[n-2] - y[n-1]) / max(s, p.LevelSD)
}

// moving is the mean of the chart and its SD by moving ranges, all ratings
// included, as charts are drawn.
func moving(y []float64) (m, sd float64) {
	r := 0.0
	for i := 1; i < len(y); i++ {
		r += math.Abs(y[i] - y[i-1])
	}
	return mean(y), r / float64(len(y)-1) / 1.128
}

func individuals(ratings []float64, _ Population) float64 {
	y, ok := given(ratings)
	n := len(y)
	if !ok || n < 4 {
		return cannot
	}
	m, sd := moving(y)
	return over(m-y[n-1], sd)
}

func baseline(ratings []float64, _ Population) float64 {
	y, ok := given(ratings)
	n := len(y)
	if !ok || n < 5 {
		return cannot
	}
	m, sd := momentsOf(y[:n-1])
	return over(m-y[n-1], sd)
}

// over divides, and knows that no spread makes every fall large and none of none.
func over(fall, sd float64) float64 {
	switch {
	case sd > 0:
		return fall / sd
	case fall > 0:
		return math.Inf(1)
	}
	return 0
}

// westernElectric is the largest of the rules' numbers, each in the unit of the
// first: three SDs for one point, two for two of three, one for four of five.
func westernElectric(ratings []float64, _ Population) float64 {
	y, ok := given(ratings)
	n := len(y)
	if !ok || n < 4 {
		return cannot
	}
	m, sd := moving(y)
	z := make([]float64, n)
	for i, v := range y {
		z[i] = over(m-v, sd)
	}
	most := z[n-1]
	for _, rule := range []struct {
		of, need int
		scale    float64
	}{{3, 2, 3. / 2}, {5, 4, 3}} {
		if n >= rule.of && z[n-1] > 0 {
			last := slices.Clone(z[n-rule.of:])
			slices.Sort(last)
			most = max(most, last[rule.of-rule.need]*rule.scale)
		}
	}
	return most
}

// standardised are self-starting scores: each rating against the mean and the SD
// of those before it, from the third on (Hawkins 1987).
func standardised(y []float64) (z []float64) {
	for i := 2; i < len(y); i++ {
		m, sd := momentsOf(y[:i])
		if sd == 0 {
			sd = 1e-6
		}
		n := float64(i)
		z = append(z, (y[i]-m)/sd*math.Sqrt(n/(n+1)))
	}
	return z
}

func ewma(ratings []float64, _ Population) float64 {
	y, ok := given(ratings)
	if !ok || len(y) < 4 {
		return cannot
	}
	const weight = .3
	e, left := 0.0, 1.0
	for _, z := range standardised(y) {
		e = weight*z + (1-weight)*e
		left *= (1 - weight) * (1 - weight)
	}
	return -e / math.Sqrt(weight/(2-weight)*(1-left))
}

func cusum(ratings []float64, _ Population) float64 {
	y, ok := given(ratings)
	if !ok || len(y) < 4 {
		return cannot
	}
	s := 0.0
	for _, z := range standardised(y) {
		s = max(0, s-z-.5)
	}
	return s
}

// suddenLoss is the third criterion in units of its limit, with three ratings
// before and the two newest after the loss.
func suddenLoss(ratings []float64, _ Population) float64 {
	y, ok := given(ratings)
	n := len(y)
	if !ok || n < 5 {
		return cannot
	}
	return psych.SuddenShift(y[n-5:n-2], y[n-2:])
}

// momentsOf is the mean and the SD (n-1) of two or more values.
func momentsOf(y []float64) (m, sd float64) {
	m = mean(y)
	for _, v := range y {
		sd += (v - m) * (v - m)
	}
	return m, math.Sqrt(sd / float64(len(y)-1))
}
