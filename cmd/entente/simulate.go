// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/entente-project/entente/alliance/simulate"
)

// simulateCommand sets rules for a fall against each other on drawn courses.
type simulateCommand struct {
	Seed     uint64    `help:"Where the drawing begins: the same seed gives the same table." default:"1"`
	Courses  int       `help:"How many courses are drawn without a fall, and as many with one for each scenario; 4000 tell shares to about .02." default:"4000"`
	Sessions []int     `help:"Lengths of a course." default:"8,16,24"`
	Alarm    []float64 `help:"Chances of any false alarm in a course, to which every rule is tuned." default:"0.05,0.2"`
	Known    bool      `help:"Let our rule know the true population, in place of estimating it from 50 other courses."`
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
	if c.JSON {
		return c.printJSON(found)
	}
	return printSimulation(found)
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
