// SPDX-License-Identifier: AGPL-3.0-or-later

package simulate

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"
)

// small is a plan that takes a second or two.
func small() Plan {
	p := DefaultPlan()
	p.Courses, p.Sessions = 1000, []int{16}
	p.Scenarios = []Scenario{p.Scenarios[2], p.Scenarios[3], p.Scenarios[8], p.Scenarios[9], p.Scenarios[11]}
	return p
}

// TestJudge: at the same chance of a false alarm no published rule notices more
// than ours beyond the error of the simulation, and nothing more than the oracle;
// of the way from the individuals chart to it a good part is closed.
func TestJudge(t *testing.T) {
	t.Parallel()
	p := small()
	results, err := p.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		scenario string
		alarm    float64
	}
	ours, best := map[place]Result{}, map[place]Result{}
	closed, n := 0.0, 0.0
	for _, r := range results {
		switch r.Rule {
		case Ours:
			ours[place{r.Scenario, r.Alarm}] = r
			closed, n = closed+r.Closed, n+1
		case Oracle:
			best[place{r.Scenario, r.Alarm}] = r
		}
	}
	for _, r := range results {
		at := place{r.Scenario, r.Alarm}
		error3 := 3 * math.Sqrt(2*.25/float64(p.Courses)) // of a difference of two shares, tuning included
		if r.FalseAlarms > r.Alarm {
			t.Errorf("%s at %v: %s alarms falsely in %.3f", r.Scenario, r.Alarm, r.Rule, r.FalseAlarms)
		}
		if r.Noticed > ours[at].Noticed+error3 && r.Rule != Oracle || r.Noticed > best[at].Noticed+error3 {
			t.Errorf("%s at %v: %s notices %.3f, ours %.3f, the oracle %.3f", r.Scenario, r.Alarm, r.Rule, r.Noticed, ours[at].Noticed, best[at].Noticed)
		}
		if r.Within1 > r.Noticed || r.Noticed > 1 || r.Delay < 0 {
			t.Errorf("%+v", r)
		}
	}
	if closed /= n; !(closed > .3 && closed < .7) {
		t.Errorf("ours closes %.2f of the way", closed)
	}
}

// TestDefaultPlan: what the command does when nothing is said can be done.
func TestDefaultPlan(t *testing.T) {
	t.Parallel()
	p := DefaultPlan()
	p.Courses, p.Known = 100, true
	found, err := p.Run(t.Context(), nil)
	if err != nil || len(found) != len(p.Sessions)*len(p.Scenarios)*len(p.Alarms)*12 {
		t.Errorf("%d results: %v", len(found), err)
	}
}

// TestSameSeed: the same seed gives the same table, another one another.
func TestSameSeed(t *testing.T) {
	t.Parallel()
	p := small()
	p.Courses, p.Scenarios, p.Alarms = 200, p.Scenarios[:1], []float64{.2}
	run := func(seed uint64) []Result {
		p.Seed = seed
		r, err := p.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if a, b := run(7), run(7); !reflect.DeepEqual(a, b) {
		t.Error("one seed, two tables")
	}
	if reflect.DeepEqual(run(7), run(8)) {
		t.Error("two seeds, one table")
	}
}

// TestPublishedLimits: the false alarms of the science notes' table, where each rule has
// the limit of its paper (4000 stable Gaussian courses of 12 sessions there). They
// give .62 for a fall of two SDs of the course itself; of the true SD, as here,
// eleven pairs of which each falls so far with .079 come to .56.
func TestPublishedLimits(t *testing.T) {
	t.Parallel()
	p := DefaultPlan()
	p.Courses = 4000
	p.Population.WithinLogSD, p.Population.Auto, p.Population.Growth, p.Population.GrowthSD = 0, 0, 0, 0
	practices := []practice{{pop: p.Population}}
	names, stable, _, err := p.scores(t.Context(), Scenario{}, Form{}, 12, practices, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		rule        string
		limit, want float64
	}{{"individuals chart", 2, .21}, {"individuals chart", 3, .02}, {"running baseline", 2, .37}, {"running baseline", 3, .13}, {"raw fall", 1, .98}, {"raw fall", 2, .56}} {
		for k, name := range names {
			if name != x.rule {
				continue
			}
			if got := share(stable[k], x.limit); math.Abs(got-x.want) > .03 {
				t.Errorf("%s at %v: %.3f of courses, not %.2f", name, x.limit, got, x.want)
			}
		}
	}
}

// TestStopped: a plan that makes no sense is refused, and one can be stopped.
func TestStopped(t *testing.T) {
	t.Parallel()
	p := small()
	ctx, cancel := context.WithCancel(t.Context())
	done := 0
	_, err := p.Run(ctx, func(n, all int) {
		done = n
		cancel()
	})
	if !errors.Is(err, context.Canceled) || done != 1 {
		t.Errorf("stopped after %d parts: %v", done, err)
	}
	for name, change := range map[string]func(*Plan){
		"no courses": func(p *Plan) { p.Courses = 0 }, "no sessions": func(p *Plan) { p.Sessions = nil }, "short courses": func(p *Plan) { p.Sessions = []int{4} },
		"nobody varies": func(p *Plan) { p.Population.Within = 0 }, "a falling chance": func(p *Plan) { p.Alarms = []float64{1.5} },
	} {
		q := small()
		change(&q)
		if _, err := q.Run(t.Context(), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
