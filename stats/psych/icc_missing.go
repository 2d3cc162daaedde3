// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/lmm"
)

// mixedSquares fills the mean squares of a table with missing ratings: what is
// expected of a full one with the variances of targets, raters and rest that the
// mixed model rating ~ 1 + (1 | target) + (1 | rater) finds by REML. Without
// missing ratings, and no variance at nought, they are those of meanSquares. It
// is what psych does with lmer = TRUE.
func (r *ICCResult) mixedSquares(x *mat.Dense) error {
	f, err := ratingFrame(x)
	if err != nil {
		return err
	}
	m, err := lmm.Fit("rating ~ 1 + (1 | target) + (1 | rater)", f, nil)
	if err != nil {
		return fmt.Errorf("some ratings are missing and the others cannot fill in for them; leave out the targets with a missing rating: %w", err)
	}
	rest := m.Sigma * m.Sigma
	var targets, raters float64
	for _, c := range m.Components {
		switch c.Group {
		case "target":
			targets = c.VCov
		case "rater":
			raters = c.VCov
		}
	}
	r.Mixed = m
	r.MSE = rest
	r.MSB = rest + float64(r.Raters)*targets
	r.MSJ = rest + float64(r.Targets)*raters
	r.MSW = rest + raters
	return nil
}

// ratingFrame has a row for each rating, with its target and its rater.
func ratingFrame(x *mat.Dense) (*stats.Frame, error) {
	var y []float64
	var target, rater []string
	n, k := x.Dims()
	used, vary := make([]bool, k), false
	for i := range n {
		for j := range k {
			v := x.At(i, j)
			if math.IsNaN(v) {
				continue
			}
			y, target, rater = append(y, v), append(target, strconv.Itoa(i)), append(rater, strconv.Itoa(j))
			used[j], vary = true, vary || v != y[0]
		}
	}
	if !vary {
		return nil, errEqualRatings
	}
	for j, u := range used {
		if !u {
			return nil, fmt.Errorf("rater %d has no rating: %w", j+1, ErrNoData)
		}
	}
	if len(y) <= n {
		return nil, fmt.Errorf("no target has two ratings: %w", ErrNoData)
	}
	rating, err := stats.NewNumeric("rating", y, nil)
	if err != nil {
		return nil, fmt.Errorf("ratings: %w", err)
	}
	f, err := stats.NewFrame(rating, stats.NewFactor("target", target, nil), stats.NewFactor("rater", rater, nil))
	if err != nil {
		return nil, fmt.Errorf("put ratings together: %w", err)
	}
	return f, nil
}
