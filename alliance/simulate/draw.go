// SPDX-License-Identifier: AGPL-3.0-or-later

package simulate

import (
	"math"
	"math/rand/v2"

	"github.com/entente-project/entente/alliance"
)

// Form is how a latent rating becomes one that a form can show. The zero Form
// shows it as it is.
type Form struct {
	Step, Min, Max float64 // Step 0: no steps and no ends
}

// Show rounds a latent rating to the form's steps, within its ends.
func (f Form) Show(latent float64) float64 {
	if f.Step == 0 {
		return latent
	}
	return min(f.Max, max(f.Min, math.Round(latent/f.Step)*f.Step))
}

// Shape is how a fall goes.
type Shape string

// The shapes.
const (
	Step    Shape = "step"    // down at once, back at once
	V       Shape = "v"       // down at once, back step by step
	Decline Shape = "decline" // down step by step, and stays
)

// Scenario is a sort of course with a fall in it: Size pooled SDs within a person,
// over Length sessions, from a session drawn from First to the last.
type Scenario struct {
	Name       string
	Size       float64
	Length     int
	Shape      Shape
	First      int
	Gaps       float64 // chance that a session after the first is not rated
	Steps      bool    // on the stepped form with a ceiling
	Window     int     // sessions from the first of the fall in which noticing counts; 0: 2
	Therapists float64 // SD of the level over therapists, beside that over people; four courses each
}

func (s Scenario) window() int {
	if s.Window == 0 {
		return 2
	}
	return s.Window
}

// first is the index of the first session in which a fall may begin.
func (s Scenario) first() int { return max(2, s.First-1) }

// person is a drawn course: what was rated and, for the oracle, what is true.
type person struct {
	ratings []float64 // NaN: not rated
	level   []float64 // without the fall, before the form
	sd      float64   // of the deviations
	start   int       // index of the first session of the fall; -1: none
}

// draw makes one course of n sessions. Therapist is how their therapist's courses
// differ, in SDs over therapists.
func draw(r *rand.Rand, p alliance.Population, f Form, s Scenario, n int, therapist float64, falls bool) person {
	unit := p.Within * math.Exp(p.WithinLogSD*p.WithinLogSD/2)
	z1, z2 := r.NormFloat64(), r.NormFloat64()
	a := p.Level + p.LevelSD*z1 + s.Therapists*therapist
	g := p.Growth + p.GrowthSD*(p.Together*z1+math.Sqrt(1-p.Together*p.Together)*z2)
	x := person{sd: p.Within * math.Exp(p.WithinLogSD*r.NormFloat64()), start: -1}
	if falls {
		x.start = s.first() + r.IntN(n+1-s.window()-s.first())
	}
	e := r.NormFloat64()
	for t := range n {
		if t > 0 {
			e = p.Auto*e + math.Sqrt(1-p.Auto*p.Auto)*r.NormFloat64()
		}
		level := a + g*math.Log(float64(t+1))
		x.level = append(x.level, level)
		y := f.Show(level + x.sd*e - unit*s.fall(t, x.start))
		if s.Gaps > 0 && t > 0 && t != x.start && r.Float64() < s.Gaps {
			y = math.NaN()
		}
		x.ratings = append(x.ratings, y)
	}
	return x
}

// fall is how far the level lies below its course in session t, in pooled SDs.
func (s Scenario) fall(t, start int) float64 {
	if start < 0 || t < start {
		return 0
	}
	k := t - start
	switch s.Shape {
	case V:
		if k < s.Length {
			return s.Size * float64(s.Length-k) / float64(s.Length)
		}
		return 0
	case Decline:
		return s.Size * min(1, float64(k+1)/float64(s.Length))
	}
	if k < s.Length {
		return s.Size
	}
	return 0
}
