// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"math"
)

// Detector weighs, session by session, whether a person's ratings have just
// fallen: a Bayesian likelihood ratio of "it fell" against "it goes on as before",
// over what is not known of the person. Their level and growth have the
// population's normal priors, their own spread its log-normal one on a grid,
// deviations remember the session before, and a fall may have any of several
// shapes and sizes. It is safe for use by several goroutines.
type Detector struct {
	pop    Population
	sigma  []float64 // grid of the person's own SD
	weight []float64 // log prior weight of each
	unit   float64   // a fall of size 1, in points
	shapes []shape
	sizes  []float64
}

// shape is how a fall looks from the newest rating backwards: at[0] is now. What
// lies further back is 0: before the fall.
type shape struct {
	at  []float64
	log float64 // log prior weight
}

const sigmaGrid = 9

// NewDetector prepares a detector for a population. Errors: what makes no sense in it.
func NewDetector(p Population) (*Detector, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	d := &Detector{pop: p, unit: p.Within * math.Exp(p.WithinLogSD*p.WithinLogSD/2)}
	total := 0.0
	var w []float64
	for i := range sigmaGrid {
		z := -2.4 + 4.8*float64(i)/(sigmaGrid-1)
		d.sigma = append(d.sigma, p.Within*math.Exp(z*max(p.WithinLogSD, .05)))
		w = append(w, math.Exp(-z*z/2))
		total += w[i]
	}
	for _, v := range w {
		d.weight = append(d.weight, math.Log(v/total))
	}
	for _, s := range []struct {
		at []float64
		w  float64
	}{
		{[]float64{1}, .45},           // now
		{[]float64{1, 1}, .25},        // a session ago, and stays
		{[]float64{0, 1}, .15},        // a session ago, and came back
		{[]float64{1, 1, 1}, .05},     // two sessions ago
		{[]float64{1, .67, .33}, .05}, // step by step
		{[]float64{1, .75, .5, .25}, .05},
	} {
		d.shapes = append(d.shapes, shape{s.at, math.Log(s.w)})
	}
	for size := 1.; size <= 3.5; size += .5 {
		d.sizes = append(d.sizes, size)
	}
	return d, nil
}

// Track follows one person.
type Track struct {
	d        *Detector
	session  []float64   // ln of the sessions rated
	step     []float64   // when, in steps of the usual interval
	rows     [][]float64 // for each sigma, the Cholesky factor by rows, packed
	residual [][]float64 // for each sigma, L^-1 (y - prior mean)
	log0     []float64   // for each sigma, log density of the ratings so far if nothing fell
}

// Track begins a course.
func (d *Detector) Track() *Track {
	n := len(d.sigma)
	return &Track{d: d, rows: make([][]float64, n), residual: make([][]float64, n), log0: make([]float64, n)}
}

// Fall is what the newest rating says, given those before it.
type Fall struct {
	N            int     // ratings so far
	Odds         float64 // log of how much better "it has just fallen" explains the ratings than "it goes on"; -Inf for the first
	Expected, SD float64 // of the newest rating, as foreseen before it was given
	Since        int     // how many ratings before the newest the likeliest fall began
	Back         bool    // the likeliest fall was the rating before, and is over
	Probability  float64 // that the level has just fallen by at least the margin, if one session in twenty begins a fall
}

// hazard is the chance that a fall begins in a session, before anything is known:
// a convention of ours. Published shares of courses with a strain, 20 to 50 in a
// hundred (McLaughlin et al. 2014; Stiles et al. 2004), come to .02 to .06.
const hazard = .05

// Margin is the fall that Fall.Probability is about, in points: one SD within a
// person, which is also the smallest that is weighed.
func (d *Detector) Margin() float64 { return d.unit }

// Add takes the rating of a session, counted from 1, given at step: the time since
// the first session in usual intervals, such as weeks. Sessions go forward.
func (t *Track) Add(session int, step, rating float64) Fall {
	f := t.take(session, step, rating)
	f.Odds, f.Since, f.Back = t.odds()
	f.Probability = 1 / (1 + math.Exp(-f.Odds)*(1-hazard)/hazard)
	return f
}

// take is Add without weighing, for a rating after which others come at once.
func (t *Track) take(session int, step, rating float64) Fall {
	d, n := t.d, len(t.session)
	x := math.Log(float64(max(1, session)))
	t.session, t.step = append(t.session, x), append(t.step, step)
	p := d.pop
	cov := make([]float64, n+1)  // of level and growth, the same for every sigma
	corr := make([]float64, n+1) // of the deviations
	cross := p.Together * p.LevelSD * p.GrowthSD
	for i := range cov {
		xi := t.session[i]
		cov[i] = p.LevelSD*p.LevelSD + cross*(x+xi) + p.GrowthSD*p.GrowthSD*x*xi
		corr[i] = math.Pow(math.Abs(p.Auto), math.Abs(step-t.step[i]))
		if p.Auto < 0 && (n-i)%2 == 1 {
			corr[i] = -corr[i]
		}
	}
	prior := p.Level + p.Growth*x
	f := Fall{N: n + 1}
	means, sds, weights := make([]float64, len(d.sigma)), make([]float64, len(d.sigma)), make([]float64, len(d.sigma))
	total := 0.0
	top := math.Inf(-1)
	for k := range d.sigma {
		top = max(top, d.weight[k]+t.log0[k])
	}
	for k, sigma := range d.sigma {
		row, ahead := t.row(k, cov, corr, sigma*sigma)
		sd := row[n]
		r := (rating - prior - ahead) / sd
		w := math.Exp(d.weight[k] + t.log0[k] - top)
		total += w
		means[k], sds[k], weights[k] = prior+ahead, sd, w
		t.rows[k] = append(t.rows[k], row...)
		t.residual[k] = append(t.residual[k], r)
		t.log0[k] -= r*r/2 + math.Log(sd)
	}
	variance := 0.0
	for k, w := range weights {
		f.Expected += w / total * means[k]
	}
	for k, w := range weights {
		variance += w / total * (sds[k]*sds[k] + (means[k]-f.Expected)*(means[k]-f.Expected))
	}
	f.SD = math.Sqrt(variance)
	return f
}

// row is the next row of the Cholesky factor for one sigma, and what the ratings
// so far foretell of the next one beyond its prior mean.
func (t *Track) row(k int, cov, corr []float64, variance float64) (row []float64, ahead float64) {
	n := len(cov) - 1
	row = make([]float64, n+1)
	l := t.rows[k]
	square := 0.0
	for i := range n {
		v := cov[i] + variance*corr[i]
		at := i * (i + 1) / 2
		for j := range i {
			v -= row[j] * l[at+j]
		}
		row[i] = v / l[at+i]
		square += row[i] * row[i]
		ahead += row[i] * t.residual[k][i]
	}
	row[n] = math.Sqrt(max(1e-12*variance, cov[n]+variance-square))
	return row, ahead
}

// odds is the log of the mean likelihood ratio over the ways of falling, and which
// way is the likeliest. With one rating there is nothing to have fallen from.
func (t *Track) odds() (odds float64, since int, back bool) {
	n := len(t.session)
	if n < 2 {
		return math.Inf(-1), 0, false
	}
	d := t.d
	var without logSum
	ways := make([]logSum, len(d.shapes))
	size := -math.Log(float64(len(d.sizes)))
	for k := range d.sigma {
		base := d.weight[k] + t.log0[k]
		without.add(base)
		for i, s := range d.shapes {
			if len(s.at) >= n {
				continue // before the first rating there is nothing
			}
			a, b := t.along(k, s.at)
			for _, u := range d.sizes {
				c := u * d.unit
				ways[i].add(base + s.log + size - c*a - c*c*b/2)
			}
		}
	}
	var with logSum
	likeliest := 0
	for i, w := range ways {
		if w.sum > 0 {
			with.add(w.log())
		}
		if w.log() > ways[likeliest].log() {
			likeliest = i
		}
	}
	s := d.shapes[likeliest].at
	return with.log() - without.log(), len(s) - 1, s[0] == 0
}

// along is the product of a whitened shape with the whitened ratings, and with itself.
func (t *Track) along(k int, at []float64) (withRatings, withItself float64) {
	n := len(t.session)
	from := n - len(at)
	l := t.rows[k]
	var buffer [8]float64
	w := buffer[:0]
	for i := from; i < n; i++ {
		v := at[n-1-i]
		base := i * (i + 1) / 2
		for j := from; j < i; j++ {
			v -= l[base+j] * w[j-from]
		}
		v /= l[base+i]
		w = append(w, v)
		withRatings += v * t.residual[k][i]
		withItself += v * v
	}
	return withRatings, withItself
}

// logSum adds numbers given by their logarithms.
type logSum struct{ top, sum float64 }

func (s *logSum) add(v float64) {
	switch {
	case s.sum == 0:
		s.top, s.sum = v, 1
	case v <= s.top:
		s.sum += math.Exp(v - s.top)
	default:
		s.sum, s.top = s.sum*math.Exp(s.top-v)+1, v
	}
}

func (s *logSum) log() float64 {
	if s.sum == 0 {
		return math.Inf(-1)
	}
	return s.top + math.Log(s.sum)
}
