// SPDX-License-Identifier: AGPL-3.0-or-later

package outcome

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/lmm"
)

// FewestEpisodes is how many closed episodes there must be before an expected
// response is told from them.
const FewestEpisodes = 200

// fewestAt is how many episodes must have a score in a session for anything to be
// expected of that session.
const fewestAt = 20

// Growth is the expected response of people by their first score,
//
//	y = b0 + b1 f + b2 ln t + b3 f ln t + u0 + u1 ln t + e,
//
// where f is the first score less Centre and t the number of the session counted
// from the first that was scored, the sessions after it alone being fitted: a mixed
// model (Laird & Ware 1982, Biometrics 38, 963-974), the growth on the logarithm of
// the session after Lambert, Whipple et al. (2001, Psychotherapy Research 11, 49-68).
// It holds no score of anybody, is all numbers, and may be kept as JSON.
type Growth struct {
	Episodes, Scores int // episodes fitted, and their scores after the first
	Until            int // the last t that enough episodes reach
	Centre           float64
	Low, High        float64 // the first scores of the middle nine tenths
	Beta             [4]float64
	VCov             [4][4]float64 // of Beta
	Between          [2][2]float64 // covariance of u0 and u1
	Sigma            float64       // standard deviation of e
	Note             string        // one sentence of the fit where something is amiss
}

// FitGrowth fits courses, the closed episodes of one scale, one slice of scores by
// session for each. Courses without a score after the first say nothing and are not
// counted. Errors: fewer than FewestEpisodes ([TooFewError]), a fit that did not
// settle, data of which none can be made.
func FitGrowth(courses [][]float64) (*Growth, error) { return fitGrowth(courses, FewestEpisodes) }

// Illustrate is FitGrowth for any number of courses: for pictures and exercises,
// never to say of a person that they are not on track.
func Illustrate(courses [][]float64) (*Growth, error) { return fitGrowth(courses, 2) }

// TooFewError says how many episodes there are.
type TooFewError struct{ Have, Need int }

// Error is the sentence for people.
func (e *TooFewError) Error() string {
	return fmt.Sprintf("%d episodes with two scores or more; an expected response needs %d", e.Have, e.Need)
}

// rows are the data of the fit.
type rows struct {
	y, first, logt []float64
	id             []string
	firsts         []float64 // one for each episode
	at             map[int]int
}

func gather(courses [][]float64) rows {
	r := rows{at: map[int]int{}}
	for i, scores := range courses {
		s := slices.IndexFunc(scores, finite)
		if s < 0 {
			continue
		}
		n := len(r.y)
		for j := s + 1; j < len(scores); j++ {
			if t := j - s + 1; finite(scores[j]) {
				r.y, r.first, r.logt = append(r.y, scores[j]), append(r.first, scores[s]), append(r.logt, math.Log(float64(t)))
				r.id = append(r.id, strconv.Itoa(i))
				r.at[t]++
			}
		}
		if len(r.y) > n {
			r.firsts = append(r.firsts, scores[s])
		}
	}
	return r
}

func fitGrowth(courses [][]float64, fewest int) (*Growth, error) {
	r := gather(courses)
	if len(r.firsts) < fewest {
		return nil, &TooFewError{Have: len(r.firsts), Need: fewest}
	}
	g := &Growth{Episodes: len(r.firsts), Scores: len(r.y)}
	for t, n := range r.at {
		if n >= min(fewestAt, fewest) {
			g.Until = max(g.Until, t)
		}
	}
	if g.Until == 0 {
		return nil, fmt.Errorf("no session after the first has %d scores", min(fewestAt, fewest))
	}
	slices.Sort(r.firsts)
	n := len(r.firsts)
	g.Low, g.High = r.firsts[n/20], r.firsts[n-1-n/20]
	for _, f := range r.firsts {
		g.Centre += f / float64(n)
	}
	if g.Low == g.High {
		return nil, errors.New("nearly all began with the same score: nothing can be expected by it")
	}
	for i := range r.first {
		r.first[i] -= g.Centre
	}
	m, err := r.fit()
	if err != nil {
		return nil, err
	}
	return g, g.take(m)
}

func (r rows) fit() (*lmm.Model, error) {
	var columns []*stats.Column
	for _, c := range []struct {
		name string
		v    []float64
	}{{"score", r.y}, {"first", r.first}, {"logt", r.logt}} {
		col, err := stats.NewNumeric(c.name, c.v, nil)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.name, err)
		}
		columns = append(columns, col)
	}
	frame, err := stats.NewFrame(append(columns, stats.NewFactor("episode", r.id, nil))...)
	if err != nil {
		return nil, fmt.Errorf("table of the episodes: %w", err)
	}
	m, err := lmm.Fit("score ~ first * logt + (logt | episode)", frame, nil)
	if err != nil {
		return nil, fmt.Errorf("growth of the episodes: %w", err)
	}
	if !m.State.Converged {
		return nil, fmt.Errorf("the growth of the episodes did not settle: %s", m.State.Note)
	}
	return m, nil
}

// take copies what the model says; whatever is not as asked for is an error.
func (g *Growth) take(m *lmm.Model) error {
	names := []string{"(Intercept)", "first", "logt", "first:logt"}
	if len(m.Fixed) != len(names) {
		return fmt.Errorf("the growth of the episodes has %d coefficients instead of 4: their first scores or sessions are all alike", len(m.Fixed))
	}
	for i, c := range m.Fixed {
		if c.Name != names[i] {
			return fmt.Errorf("coefficient %d is %s instead of %s", i, c.Name, names[i])
		}
		g.Beta[i] = c.Estimate
		for j := range names {
			g.VCov[i][j] = m.VCov.At(i, j)
		}
	}
	g.Sigma, g.Note = m.Sigma, m.State.Note
	for _, c := range m.Components {
		switch {
		case c.Group != "episode":
		case c.Var2 != "":
			g.Between[0][1], g.Between[1][0] = c.VCov, c.VCov
		case c.Var1 == "logt":
			g.Between[1][1] = c.VCov
		default:
			g.Between[0][0] = c.VCov
		}
	}
	return nil
}
