// SPDX-License-Identifier: AGPL-3.0-or-later

package simulate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/entente-project/entente/alliance"
)

// Plan is what is to be found out.
type Plan struct {
	Seed       uint64
	Courses    int       // drawn without a fall to tune a rule, and as many with one for each scenario
	Sessions   []int     // lengths of a course
	Alarms     []float64 // chances of any false alarm in a course
	Known      bool      // our rule knows the population; else it estimates it from Others
	Others     int       // courses from which a population is estimated
	Population alliance.Population
	Form       Form
	Scenarios  []Scenario
}

// DefaultPlan is the plan of the science notes: courses of 8, 16 and 24 sessions,
// five and twenty in a hundred of them with a false alarm.
func DefaultPlan() Plan {
	return Plan{
		Seed: 1, Courses: 4000, Sessions: []int{8, 16, 24}, Alarms: []float64{.05, .2}, Others: 50,
		Population: alliance.Population{Level: 7.2, LevelSD: 1.3, Growth: .3, GrowthSD: .3, Within: math.Exp(-.35 * .35 / 2), WithinLogSD: .35, Auto: .2},
		Form:       Form{Step: .5, Min: 0, Max: 10},
		Scenarios:  Scenarios(),
	}
}

// Scenarios are the falls that rules are tried on.
func Scenarios() []Scenario {
	out := []Scenario{
		{Name: "1.5 SD, 2 sessions", Size: 1.5, Length: 2}, {Name: "2 SD, 2 sessions", Size: 2, Length: 2}, {Name: "2.5 SD, 2 sessions", Size: 2.5, Length: 2},
		{Name: "3 SD, 1 session", Size: 3, Length: 1}, {Name: "2 SD, 4 sessions", Size: 2, Length: 4}, {Name: "3 SD, 3 sessions", Size: 3, Length: 3},
		{Name: "2.5 SD, 2 sessions, from the 6th", Size: 2.5, Length: 2, First: 6},
		{Name: "3 SD, back over 3 sessions", Size: 3, Length: 3, Shape: V},
		{Name: "3 SD over 4 sessions", Size: 3, Length: 4, Shape: Decline, Window: 4},
		{Name: "2.5 SD, 2 sessions, a fifth not rated", Size: 2.5, Length: 2, Gaps: .2},
		{Name: "2.5 SD, 2 sessions, therapists differ", Size: 2.5, Length: 2, Therapists: .6},
	}
	for _, s := range []Scenario{{Name: "2.5 SD, 2 sessions", Size: 2.5, Length: 2}, {Name: "3 SD, 1 session", Size: 3, Length: 1}, {Name: "3 SD, 3 sessions", Size: 3, Length: 3}, {Name: "3 SD over 4 sessions", Size: 3, Length: 4, Shape: Decline, Window: 4}} {
		s.Name, s.Steps = s.Name+", steps and ceiling", true
		out = append(out, s)
	}
	for i := range out {
		if out[i].Shape == "" {
			out[i].Shape = Step
		}
	}
	return out
}

// Names of the two rules that are not published ones.
const (
	Ours   = "Entente"
	Oracle = "oracle"
	Chart  = "individuals chart"
)

// Result is how one rule did in one scenario.
type Result struct {
	Scenario    string  `json:"scenario"`
	Sessions    int     `json:"sessions"`
	Alarm       float64 `json:"false_alarm"` // aimed at
	Rule        string  `json:"rule"`
	Limit       float64 `json:"limit"`
	FalseAlarms float64 `json:"false_alarms"` // found: less where the rule's numbers come in steps
	Within1     float64 `json:"within_1"`     // chance to notice in the fall's first session
	Noticed     float64 `json:"noticed"`      // or in another session of the window
	Delay       float64 `json:"delay"`        // mean sessions until the first alarm, of those that came; NaN if none did
	Closed      float64 `json:"closed"`       // of the way from the individuals chart to the oracle, NaN if there is none
}

// Run carries a plan out. Progress, if not nil, is told how many of how many
// parts are done. Errors: a plan that cannot be carried out, or the context's.
func (p Plan) Run(ctx context.Context, progress func(done, all int)) ([]Result, error) {
	if p.Courses < 100 || len(p.Sessions) == 0 || len(p.Alarms) == 0 || len(p.Scenarios) == 0 {
		return nil, fmt.Errorf("simulate: a plan needs 100 courses, and sessions, chances of a false alarm and scenarios")
	}
	for _, a := range p.Alarms {
		if !(a > 0 && a < 1) {
			return nil, fmt.Errorf("simulate: the chance of a false alarm is %v; it must lie between 0 and 1", a)
		}
	}
	if err := p.Population.Check(); err != nil {
		return nil, err
	}
	var out []Result
	all := len(p.Sessions) * len(p.Scenarios)
	for i, n := range p.Sessions {
		for k, s := range p.Scenarios {
			if n < max(5, s.first()+s.window()) {
				return nil, fmt.Errorf("simulate: %q needs courses of more than %d sessions", s.Name, n)
			}
			r, err := p.scenario(ctx, s, n)
			if err != nil {
				return nil, err
			}
			out = append(out, r...)
			if progress != nil {
				progress(i*len(p.Scenarios)+k+1, all)
			}
		}
	}
	return out, nil
}

// scenario tunes every rule on courses without a fall and tries it on others with one.
func (p Plan) scenario(ctx context.Context, s Scenario, n int) ([]Result, error) {
	form := Form{}
	if s.Steps {
		form = p.Form
	}
	practices, err := p.practices(s, form, n)
	if err != nil {
		return nil, err
	}
	names, stable, _, err := p.scores(ctx, s, form, n, practices, false)
	if err != nil {
		return nil, err
	}
	_, fallen, starts, err := p.scores(ctx, s, form, n, practices, true)
	if err != nil {
		return nil, err
	}
	var out []Result
	for _, alarm := range p.Alarms {
		found := make([]Result, len(names))
		for r, name := range names {
			limit, falsely := tune(stable[r], alarm)
			found[r] = notice(fallen[r], starts, limit, s.window())
			found[r].Scenario, found[r].Sessions, found[r].Alarm, found[r].Rule, found[r].Limit, found[r].FalseAlarms = s.Name, n, alarm, name, limit, falsely
		}
		chart, best := found[slices.Index(names, Chart)].Noticed, found[slices.Index(names, Oracle)].Noticed
		for r := range found {
			found[r].Closed = math.NaN()
			if best > chart {
				found[r].Closed = (found[r].Noticed - chart) / (best - chart)
			}
		}
		out = append(out, found...)
	}
	return out, nil
}

// practices are the detectors of several practices: of the true population, or of
// what each finds in so many other courses.
func (p Plan) practices(s Scenario, form Form, n int) (out []practice, err error) {
	count := 20
	if p.Known {
		count = 1
	}
	for i := range count {
		pop := p.Population
		if !p.Known {
			var others [][]float64
			for j := range p.Others {
				r := p.random(1<<40 + uint64(i)<<20 + uint64(j))
				others = append(others, draw(r, p.Population, form, s, n, p.therapist(1<<30+uint64(i)<<10+uint64(j/4)), false).ratings)
			}
			if pop, err = alliance.EstimatePopulation(others); err != nil {
				return nil, err
			}
		}
		d, err := alliance.NewDetector(pop)
		if err != nil {
			return nil, err
		}
		out = append(out, practice{pop, d})
	}
	return out, nil
}

type practice struct {
	pop      alliance.Population
	detector *alliance.Detector
}

// random is one of the plan's streams: each course has its own, so that the order
// in which they are drawn does not matter.
func (p Plan) random(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(p.Seed, stream)) //nolint:gosec // draws examples, hides nothing
}

func (p Plan) therapist(i uint64) float64 { return p.random(1<<50 + i).NormFloat64() }

// scores gives each rule's number for each session: [rule][course][session].
func (p Plan) scores(ctx context.Context, s Scenario, form Form, n int, practices []practice, falls bool) (names []string, out [][][]float64, starts []int, err error) {
	rules := alliance.PublishedRules()
	for _, r := range rules {
		names = append(names, r.Name)
	}
	names = append(names, Ours, Oracle)
	for range names {
		out = append(out, make([][]float64, p.Courses))
	}
	starts = make([]int, p.Courses)
	offset := uint64(0)
	if falls {
		offset = 1 << 45
	}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < p.Courses && ctx.Err() == nil; i += workers {
				r := p.random(offset + uint64(i))
				x := draw(r, p.Population, form, s, n, p.therapist(uint64(i/4)), falls)
				starts[i] = x.start
				at := practices[i%len(practices)]
				for k, rule := range rules {
					row := make([]float64, n)
					for t := range row {
						row[t] = rule.Of(x.ratings[:t+1], at.pop)
					}
					out[k][i] = row
				}
				if at.detector != nil {
					out[len(rules)][i] = ours(at.detector, x.ratings)
					out[len(rules)+1][i] = oracle(x, p.Population, form)
				}
			}
		})
	}
	wg.Wait()
	return names, out, starts, ctx.Err()
}

func ours(d *alliance.Detector, ratings []float64) []float64 {
	track, row := d.Track(), make([]float64, len(ratings))
	for t, y := range ratings {
		row[t] = math.Inf(-1)
		if !math.IsNaN(y) {
			row[t] = track.Add(t+1, float64(t), y).Odds
		}
	}
	return row
}

// tune finds the smallest limit that no more than so many stable courses exceed
// anywhere, and how many do.
func tune(stable [][]float64, alarm float64) (limit, found float64) {
	most := make([]float64, len(stable))
	for i, row := range stable {
		most[i] = slices.Max(row)
	}
	slices.Sort(most)
	limit = most[len(most)-1-int(alarm*float64(len(most)))]
	return limit, share(stable, limit)
}

// share is in how many courses, of all, a number anywhere exceeds the limit.
func share(courses [][]float64, limit float64) float64 {
	n := 0
	for _, row := range courses {
		if slices.Max(row) > limit {
			n++
		}
	}
	return float64(n) / float64(len(courses))
}

func notice(fallen [][]float64, starts []int, limit float64, window int) (r Result) {
	n := float64(len(fallen))
	noticed := 0.0
	for i, row := range fallen {
		s := starts[i]
		if row[s] > limit {
			r.Within1 += 1 / n
		}
		if slices.Max(row[s:s+window]) > limit {
			r.Noticed += 1 / n
		}
		if k := slices.IndexFunc(row[s:], func(v float64) bool { return v > limit }); k >= 0 {
			r.Delay += float64(k)
			noticed++
		}
	}
	r.Delay /= noticed
	return r
}
