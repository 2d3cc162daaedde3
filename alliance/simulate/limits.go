// SPDX-License-Identifier: AGPL-3.0-or-later

package simulate

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/entente-project/entente/alliance"
)

// What the limits of the product's rule are found for: courses of UsualCourse
// sessions, of which one in five may be asked about without cause and one in
// twenty at once; how often it happens is told for up to LongestCourse.
const (
	UsualCourse   = 16
	LongestCourse = 40
	asking, now   = .2, .05
	// alike is how far bond, tasks and goals of one person go together, in level,
	// growth, spread and each session: a convention near published correlations of
	// the scales of short forms.
	alike = .7
)

// Limits finds the limits of the weighing for a form of so many series, by so many
// stable courses of the plan's population, on a form with steps and a ceiling and
// on one without: the larger of both holds. Errors: the context's.
func Limits(ctx context.Context, seed uint64, courses, series int) (alliance.Limits, error) {
	var out alliance.Limits
	d, err := alliance.NewDetector(alliance.Stated())
	if err != nil {
		return out, err
	}
	var most [][][]float64 // by form and course, the largest odds so far
	for _, form := range []Form{{}, DefaultPlan().Form} {
		rows, err := largest(ctx, d, form, seed, courses, series)
		if err != nil {
			return out, err
		}
		most = append(most, rows)
	}
	limit := func(share float64) (v float64) {
		v = math.Inf(-1)
		for _, rows := range most {
			var at []float64
			for _, r := range rows {
				at = append(at, r[UsualCourse-1])
			}
			slices.Sort(at)
			v = max(v, at[len(at)-1-int(share*float64(len(at)))])
		}
		return v
	}
	out.Asking, out.Now = limit(asking), limit(now)
	for n := 2; n <= LongestCourse; n++ {
		above := func(limit float64) (share float64) {
			for _, rows := range most {
				k := 0
				for _, r := range rows {
					if r[n-1] > limit {
						k++
					}
				}
				share = max(share, float64(k)/float64(len(rows)))
			}
			return share
		}
		out.AnyAsking, out.AnyNow = append(out.AnyAsking, above(out.Asking)), append(out.AnyNow, above(out.Now))
	}
	return out, nil
}

func largest(ctx context.Context, d *alliance.Detector, form Form, seed uint64, courses, series int) ([][]float64, error) {
	out := make([][]float64, courses)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < courses && ctx.Err() == nil; i += workers {
				most := slices.Repeat([]float64{math.Inf(-1)}, LongestCourse)
				for _, y := range together(rand.New(rand.NewPCG(seed, uint64(i))), form, series) { //nolint:gosec // draws examples, hides nothing
					track, so := d.Track(), math.Inf(-1)
					for t, v := range y {
						so = max(so, track.Add(t+1, float64(t), v).Odds)
						most[t] = max(most[t], so)
					}
				}
				out[i] = most
			}
		})
	}
	wg.Wait()
	return out, ctx.Err()
}

// together draws a stable course of several series of one person.
func together(r *rand.Rand, form Form, series int) [][]float64 {
	p := DefaultPlan().Population
	draw := func() []float64 {
		shared, out := r.NormFloat64(), make([]float64, series)
		for k := range out {
			out[k] = math.Sqrt(alike)*shared + math.Sqrt(1-alike)*r.NormFloat64()
		}
		return out
	}
	level, growth, spread, e := draw(), draw(), draw(), draw()
	out := make([][]float64, series)
	for t := range LongestCourse {
		if t > 0 {
			for k, z := range draw() {
				e[k] = p.Auto*e[k] + math.Sqrt(1-p.Auto*p.Auto)*z
			}
		}
		for k := range out {
			out[k] = append(out[k], form.Show(p.Level+p.LevelSD*level[k]+(p.Growth+p.GrowthSD*growth[k])*math.Log(float64(t+1))+p.Within*math.Exp(p.WithinLogSD*spread[k])*e[k]))
		}
	}
	return out
}
