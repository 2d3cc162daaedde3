// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/entente-project/entente/alliance/simulate"
	plot "github.com/entente-project/entente/internal/figure"
)

// simulateCommand sets rules for a fall against each other on drawn courses.
type simulateCommand struct {
	Seed     uint64    `help:"Where the drawing begins: the same seed gives the same table." default:"1"`
	Courses  int       `help:"How many courses are drawn without a fall, and as many with one for each scenario; 4000 tell shares to about .02." default:"4000"`
	Sessions []int     `help:"Lengths of a course." default:"8,16,24"`
	Alarm    []float64 `help:"Chances of any false alarm in a course, to which every rule is tuned." default:"0.05,0.2"`
	Known    bool      `help:"Let our rule know the true population, in place of estimating it from 50 other courses."`
	Picture  string    `help:"Draw how much each rule notices at each chance of a false alarm, the mean over all falls without steps, into this SVG file; one length of course." type:"path" placeholder:"FILE"`
	JSON     bool      `name:"json" help:"Print JSON: every rule in every scenario, with all digits."`
}

// Run prints how often each rule notices a fall at the same chance of a false alarm.
func (c *simulateCommand) Run(ctx context.Context) error {
	p := simulate.DefaultPlan()
	p.Seed, p.Courses, p.Sessions, p.Alarms, p.Known = c.Seed, c.Courses, c.Sessions, c.Alarm, c.Known
	found, err := p.Run(ctx, func(done, all int) { fmt.Fprintf(os.Stderr, "\r%d of %d parts", done, all) })
	fmt.Fprint(os.Stderr, "\r                      \r")
	if err != nil {
		return err
	}
	if c.Picture != "" {
		if err := os.WriteFile(c.Picture, curves(found, c.Sessions[0], c.Courses).Draw().SVG(), 0o600); err != nil {
			return fmt.Errorf("--picture: %w", err)
		}
	}
	if c.JSON {
		return c.printJSON(found)
	}
	return printSimulation(found)
}

// curves are what each rule notices at each chance of a false alarm, as the mean
// over the scenarios.
func curves(found []simulate.Result, sessions, courses int) *plot.Curves {
	p := &plot.Curves{Title: fmt.Sprintf("What is noticed, at the same chance of a false alarm (courses of %d sessions, %d of each kind)", sessions, courses), X: "share of stable courses asked about at least once", Y: "share of falls noticed, mean over all kinds of fall"}
	type key struct {
		rule  string
		alarm float64
	}
	sums, counts := map[key]plot.Point{}, map[key]float64{}
	var rules []string
	for _, r := range found {
		if r.Sessions != sessions {
			continue
		}
		if !slices.Contains(rules, r.Rule) {
			rules = append(rules, r.Rule)
		}
		k := key{r.Rule, r.Alarm}
		at := sums[k]
		sums[k] = plot.Point{X: at.X + r.FalseAlarms, Y: at.Y + r.Noticed}
		counts[k]++
	}
	for _, rule := range rules {
		l := plot.Curve{Name: rule, Strong: rule == simulate.Ours, Dashed: rule == simulate.Oracle}
		for k, s := range sums {
			if k.rule == rule {
				l.Points = append(l.Points, plot.Point{X: s.X / counts[k], Y: s.Y / counts[k]})
			}
		}
		slices.SortFunc(l.Points, func(a, b plot.Point) int { return cmp.Compare(a.X, b.X) })
		p.Lines = append(p.Lines, l)
	}
	return p
}

// simulationLine is a result with nothing where there is no number.
type simulationLine struct {
	simulate.Result
	Delay  *float64 `json:"delay"`
	Closed *float64 `json:"closed"`
}

func (c *simulateCommand) printJSON(found []simulate.Result) error {
	out := struct {
		Seed    uint64           `json:"seed"`
		Courses int              `json:"courses"`
		Known   bool             `json:"population_known"`
		Results []simulationLine `json:"results"`
	}{c.Seed, c.Courses, c.Known, []simulationLine{}}
	for _, r := range found {
		l := simulationLine{Result: r}
		for to, v := range map[**float64]float64{&l.Delay: r.Delay, &l.Closed: r.Closed} {
			if !math.IsNaN(v) {
				*to = &v
			}
		}
		out.Results = append(out.Results, l)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// printSimulation prints, for each scenario, the best published rule, the chart,
// ours and the oracle: the chance to notice, in and after how many sessions.
func printSimulation(found []simulate.Result) error {
	w := newColumns()
	w.line("sessions\tfalse alarms\tfall\tbest published\t\tindividuals chart\tEntente\tat once\tdelay\toracle\tclosed")
	var sum, n float64
	for len(found) > 0 {
		part := 1
		for part < len(found) && found[part].Scenario == found[0].Scenario && found[part].Alarm == found[0].Alarm && found[part].Sessions == found[0].Sessions {
			part++
		}
		var best, chart, ours, oracle simulate.Result
		for _, r := range found[:part] {
			switch r.Rule {
			case simulate.Ours:
				ours = r
			case simulate.Oracle:
				oracle = r
			default:
				if r.Noticed > best.Noticed || best.Rule == "" {
					best = r
				}
				if r.Rule == simulate.Chart {
					chart = r
				}
			}
		}
		w.line("%d\t%.2f\t%s\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t%.2f\t%.2f", ours.Sessions, ours.Alarm, ours.Scenario, best.Rule, best.Noticed, chart.Noticed, ours.Noticed, ours.Within1, ours.Delay, oracle.Noticed, ours.Closed)
		if !math.IsNaN(ours.Closed) {
			sum, n = sum+ours.Closed, n+1
		}
		found = found[part:]
	}
	if err := w.end(); err != nil {
		return err
	}
	_, err := fmt.Printf("\nOf the way from the individuals chart to somebody who knows the true level and spread, %.2f is closed on average.\n", sum/n)
	return err
}
