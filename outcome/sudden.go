// SPDX-License-Identifier: AGPL-3.0-or-later

package outcome

import (
	"github.com/entente-project/entente/stats/psych"
)

// SuddenRule are the criteria of Tang and DeRubeis (1999, p. 895) for a sudden gain
// between one session and the next: at least Points better (their first), at least
// Share of the score before (their second), and stable on both sides (their third,
// psych.SuddenShift, over up to three sessions each with at least two scores). A
// loss is a gain turned round.
//
// Points 0 and Share 0 leave a criterion out. Share is for scales of which less is
// better: near the upper end of another scale it would mean nothing, and it is left
// out there.
type SuddenRule struct {
	HigherIsBetter bool
	Points, Share  float64
}

// SuddenShare is the second criterion as published.
const SuddenShare = .25

// Sudden is a sudden gain or loss between the neighbouring sessions From and To,
// numbered from 1.
type Sudden struct {
	From, To int
	Loss     bool
	Points   float64 // how much better, or worse, always positive
	// Reversed is the first later session in which at least half of a gain was lost
	// again (Tang & DeRubeis 1999, p. 896), or of a loss regained; 0: none.
	Reversed int
}

// Find lists the sudden gains and losses of a course, in order. The published
// algorithm is that of Wiedemann et al. (2020, PLOS ONE 15(3), e0230276), but for
// losses, of which its second criterion holds for every worsening: here a loss, too,
// must be at least a share of the score before.
func (r SuddenRule) Find(scores []float64) (out []Sudden) {
	for n := 1; n+1 < len(scores); n++ {
		pre, post := scores[n-1], scores[n]
		if !finite(pre) || !finite(post) {
			continue
		}
		down := psych.SuddenShift(present(scores[max(0, n-3):n]), present(scores[n:min(len(scores), n+3)]))
		fall := pre - post
		if fall < 0 {
			down, fall = -down, -fall
		}
		if !(down > 1) || !(fall >= r.Points-rounding) || !r.HigherIsBetter && !(fall >= r.Share*pre-rounding) {
			continue
		}
		s := Sudden{From: n, To: n + 1, Points: fall, Loss: (post > pre) != r.HigherIsBetter}
		s.Reversed = reversal(scores, n, pre, post)
		out = append(out, s)
	}
	return out
}

// Intervals is how many pairs of neighbouring sessions of a course the criteria can
// be asked of: both scored, with at least two scores among three on either side.
func Intervals(scores []float64) (count int) {
	for n := 1; n+1 < len(scores); n++ {
		if finite(scores[n-1]) && finite(scores[n]) && len(present(scores[max(0, n-3):n])) > 1 && len(present(scores[n:min(len(scores), n+3)])) > 1 {
			count++
		}
	}
	return count
}

// reversal is the first session after place n in which half of the way from pre to
// post was gone back.
func reversal(scores []float64, n int, pre, post float64) int {
	half := (pre + post) / 2
	for i := n + 1; i < len(scores); i++ {
		if v := scores[i]; finite(v) && (pre > post && v >= half || pre < post && v <= half) {
			return i + 1
		}
	}
	return 0
}

func present(scores []float64) []float64 {
	out := make([]float64, 0, len(scores))
	for _, v := range scores {
		if finite(v) {
			out = append(out, v)
		}
	}
	return out
}
