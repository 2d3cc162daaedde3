// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// ReliableChange is what the standard deviation and the reliability of a scale
// say about one person's difference. Both belong to a sample, not to the scale.
type ReliableChange struct {
	SD          float64 // of the scale, before therapy
	Reliability float64
	SEM         float64 // standard error of measurement, SD sqrt(1 - Reliability)
	Sdiff       float64 // standard error of a difference, sqrt(2) SEM
}

// NewReliableChange checks and completes a ReliableChange.
//
// Source: Jacobson & Truax (1991), Journal of Consulting and Clinical Psychology
// 59, p. 14.
func NewReliableChange(sd, reliability float64) (ReliableChange, error) {
	if math.IsNaN(sd) {
		return ReliableChange{}, errors.New("there is no standard deviation: at least two persons are needed")
	}
	if !(sd > 0) || math.IsInf(sd, 0) {
		return ReliableChange{}, fmt.Errorf("standard deviation %g is not a number above 0", sd)
	}
	if !(reliability >= 0 && reliability < 1) {
		return ReliableChange{}, fmt.Errorf("reliability %v is not in [0, 1)", reliability)
	}
	sem := sd * math.Sqrt(1-reliability)
	return ReliableChange{SD: sd, Reliability: reliability, SEM: sem, Sdiff: math.Sqrt2 * sem}, nil
}

// RCI returns the reliable change index (post - pre)/Sdiff: a normal deviate, if
// the person's true score did not change.
func (r ReliableChange) RCI(pre, post float64) float64 { return (post - pre) / r.Sdiff }

// Criterion returns the smallest difference, in points of the scale, that is
// reliable at a two-sided level (for example .95).
func (r ReliableChange) Criterion(level float64) float64 {
	return r.Smallest(distuv.UnitNormal.Quantile((1 + level) / 2))
}

// Smallest returns z standard errors of a difference: the smallest detectable
// change for a normal deviate z, which tables round to 1.96.
func (r ReliableChange) Smallest(z float64) float64 { return z * r.Sdiff }

// Norms are means and standard deviations of people in and out of therapy.
type Norms struct {
	ClinicalMean, ClinicalSD float64
	GeneralMean, GeneralSD   float64
}

// Cutoffs are the three criteria of clinically significant change: A, two
// standard deviations from the clinical mean; B, within two of the general mean;
// C, where both groups are equally likely (for equal weights, as if normal with
// their own spreads).
type Cutoffs struct{ A, B, C float64 }

// Cutoffs returns the criteria of Jacobson & Truax (1991), p. 13. The direction
// follows from which mean is larger.
func (n Norms) Cutoffs() (Cutoffs, error) {
	if !(n.ClinicalSD > 0) || !(n.GeneralSD > 0) || math.IsInf(n.ClinicalSD+n.GeneralSD, 0) {
		return Cutoffs{}, fmt.Errorf("standard deviations %v and %v are not both positive", n.ClinicalSD, n.GeneralSD)
	}
	if n.ClinicalMean == n.GeneralMean || math.IsNaN(n.ClinicalMean-n.GeneralMean) || math.IsInf(n.ClinicalMean-n.GeneralMean, 0) {
		return Cutoffs{}, fmt.Errorf("clinical mean %v and general mean %v are not apart", n.ClinicalMean, n.GeneralMean)
	}
	towards := math.Copysign(1, n.GeneralMean-n.ClinicalMean)
	return Cutoffs{
		A: n.ClinicalMean + towards*2*n.ClinicalSD,
		B: n.GeneralMean - towards*2*n.GeneralSD,
		C: (n.GeneralSD*n.ClinicalMean + n.ClinicalSD*n.GeneralMean) / (n.ClinicalSD + n.GeneralSD),
	}, nil
}

// Change is a class of Jacobson and Truax.
type Change int

// Classes of one person's change between two ratings.
const (
	Unchanged    Change = iota // the difference is not reliable
	Recovered                  // reliably better, from beyond the cutoff to the general side
	Improved                   // reliably better, without crossing
	Deteriorated               // reliably worse
)

// String returns the name of the class.
func (c Change) String() string {
	return [...]string{"unchanged", "recovered", "improved", "deteriorated"}[c]
}

// Classify says how a person changed between two ratings, by a cutoff and a
// level (for example .95). lowerIsBetter holds for scales of symptoms. A score
// at the cutoff is on the clinical side.
//
// Source: Jacobson & Truax (1991); the names of the classes as in Lambert,
// Hansen & Bauer (2008).
func (r ReliableChange) Classify(pre, post, cutoff, level float64, lowerIsBetter bool) (Change, error) {
	if s := pre + post + cutoff; math.IsNaN(s) || math.IsInf(s, 0) {
		return Unchanged, fmt.Errorf("scores %v and %v with cutoff %v are not all numbers", pre, post, cutoff)
	}
	if !(level > 0 && level < 1) {
		return Unchanged, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	gain, from, to := post-pre, pre-cutoff, post-cutoff
	if lowerIsBetter {
		gain, from, to = -gain, -from, -to
	}
	return ClassOf(gain, r.Criterion(level), from <= 0, to <= 0), nil
}

// ClassOf is the class of a gain, positive for the better, by the smallest gain
// that is reliable and by whether the person was and is on the clinical side. It is
// for published criteria and cutoffs; [ReliableChange.Classify] works them out.
func ClassOf(gain, criterion float64, wasClinical, isClinical bool) Change {
	switch {
	case gain <= -criterion:
		return Deteriorated
	case !(gain >= criterion):
		return Unchanged
	case wasClinical && !isClinical:
		return Recovered
	}
	return Improved
}
