// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/lmm"
)

// LmmCommand is `stats lmm`.
type LmmCommand struct {
	Source   `embed:""`
	Formula  string `arg:"" help:"Model, for example 'Reaction ~ Days + (Days | Subject)'."`
	Plain    `embed:""`
	REML     bool     `name:"reml" help:"Restricted maximum likelihood; so where nothing is said." group:"Model"`
	ML       bool     `name:"ml" help:"Full maximum likelihood." group:"Model"`
	Weights  string   `help:"Column of prior weights: the residual variance is sigma² / weight." placeholder:"COLUMN" group:"Model"`
	Sum      []string `name:"sum-contrasts" help:"Factors that are coded by sums instead of treatments." placeholder:"COLUMN" group:"Model"`
	AR1      string   `name:"ar1" help:"Residuals correlated from step to step within a group: 'time | group', or the group alone." placeholder:"TIME|GROUP" group:"Model"`
	CAR1     string   `name:"car1" help:"The same over any distance in time." placeholder:"TIME|GROUP" group:"Model"`
	CompSymm string   `name:"compsymm" help:"One correlation for each pair of residuals of a group." placeholder:"GROUP" group:"Model"`
	VarIdent string   `name:"varident" help:"A residual variance of its own for each level of the column." placeholder:"COLUMN" group:"Model"`
	Split    []string `sep:"none" help:"Split a score into what is within and what is between persons: 'COMMIT by SUBNUM' adds COMMIT.within and COMMIT.between (centred)." placeholder:"COLUMN by GROUP" group:"Prepare"`
	Lag      []string `sep:"none" help:"The session before: 'JSAT by SUBNUM over TIME' adds JSAT.lag, missing after a session that is not there; with 'after TIME' it is the row before, however long ago. After --split, so that parts can be lagged too." placeholder:"COLUMN by GROUP over TIME" group:"Prepare"`
	DF       string   `name:"df" enum:"satterthwaite,kenward-roger,containment,none" default:"satterthwaite" help:"Degrees of freedom of the tests: satterthwaite, kenward-roger, containment (as nlme), none." group:"Show"`
	Terms    bool     `help:"Test each term of the fixed effects (F)." group:"Show"`
	Confint  string   `enum:"wald,profile,bootstrap" default:"wald" help:"Intervals: wald, profile, bootstrap." group:"Show"`
	Draws    int      `default:"1000" help:"Draws of the bootstrap." group:"Show"`
	Seed     uint64   `help:"Seed of the bootstrap." group:"Show"`
	Against  string   `help:"Compare with this smaller or larger model by the ratio of likelihoods." placeholder:"FORMULA" group:"Show"`
	Ranef    bool     `help:"Print the effect of each group (conditional modes)." group:"Show"`
	Fitted   bool     `help:"Put fitted values and residuals into the JSON." group:"Show"`
	Predict  string   `help:"Predict the rows of this CSV file." placeholder:"FILE" group:"Show"`
	New      bool     `name:"population" help:"Predict for new groups even where they are known." group:"Show"`
	Verify   bool     `help:"Let a second optimiser look as well." group:"Show"`
}

// Run does the analysis.
func (c *LmmCommand) Run(ctx context.Context, s *Streams) error {
	if c.REML && c.ML {
		return wrongUse("--reml and --ml exclude each other")
	}
	if c.DF == "kenward-roger" && c.ML {
		return wrongUse("--df kenward-roger needs REML; leave --ml out")
	}
	if c.Draws < 2 {
		return wrongUse("--draws is %d; give at least 2, better 1000", c.Draws)
	}
	if _, err := stats.ParseFormula(c.Formula); err != nil {
		return wrongUse("the formula '%s': %v", c.Formula, err)
	}
	return c.output().run(ctx, s, c.code, func(ctx context.Context, progress func(string)) (*Document, error) {
		progress("fitting the model")
		m, err := c.prepare(s.In)
		if err != nil {
			return nil, err
		}
		return m.document(ctx, progress)
	})
}

type lmmModel struct {
	*LmmCommand
	table   *Table
	options *lmm.Options
	fit     *lmm.Model
	doc     *Document
}

func (c *LmmCommand) prepare(in io.Reader) (*lmmModel, error) {
	t, err := c.open(in)
	if err != nil {
		return nil, err
	}
	if err := c.extend(t); err != nil {
		return nil, err
	}
	f, err := stats.ParseFormula(c.Formula)
	if err != nil {
		return nil, err
	}
	for _, n := range f.Variables() {
		if _, err := t.Column(n); err != nil {
			return nil, wrongUse("the formula names %s: there is no such column; there are %s", n, strings.Join(t.Names(), ", "))
		}
	}
	m := &lmmModel{LmmCommand: c, table: t}
	if m.options, err = c.modelOptions(t); err != nil {
		return nil, err
	}
	if m.fit, err = lmm.Fit(c.Formula, t.Frame, m.options); err != nil {
		return nil, inFile(c.Data, err)
	}
	t.drop(m.fit.Missing)
	return m, nil
}

// words takes a rule such as "JSAT by SUBNUM over TIME" apart.
func words(flag, rule string, joints ...string) ([]string, error) {
	var out []string
	rest := strings.Fields(rule)
	for i := 0; i <= len(joints); i++ {
		if len(rest) == 0 || i > 0 && (rest[0] != joints[i-1] || len(rest) < 2) {
			return nil, wrongUse("--%s '%s': write COLUMN %s", flag, rule, strings.ToUpper(strings.Join(joints, " ... "))+" ...")
		}
		if i > 0 {
			rest = rest[1:]
		}
		out = append(out, rest[0])
		rest = rest[1:]
	}
	if len(rest) > 0 {
		return nil, wrongUse("--%s '%s': there is more than was expected at %q", flag, rule, rest[0])
	}
	return out, nil
}

// lagsRows says whether a rule of --lag asks for the row before (after TIME), not
// for the session one less (over TIME).
func lagsRows(rule string) bool { return slices.Contains(strings.Fields(rule), "after") }

func lagWords(rule string) ([]string, error) {
	if lagsRows(rule) {
		return words("lag", rule, "by", "after")
	}
	return words("lag", rule, "by", "over")
}

// extend adds the columns of --split and --lag.
func (c *LmmCommand) extend(t *Table) error {
	add := func(col *stats.Column, err error) error {
		if err != nil {
			return err
		}
		t.Frame, err = t.With(col)
		return err
	}
	for _, rule := range c.Split {
		w, err := words("split", rule, "by")
		if err != nil {
			return err
		}
		if _, err := t.numbers("split", w[0]); err != nil {
			return err
		}
		if _, err := t.column("split", w[1]); err != nil {
			return err
		}
		if err := add(stats.Within(t.Frame, w[0], w[1], w[0]+".within")); err != nil {
			return err
		}
		if err := add(stats.Between(t.Frame, w[0], w[1], w[0]+".mean")); err != nil {
			return err
		}
		if err := add(stats.Centered(t.Frame, w[0]+".mean", w[0]+".between")); err != nil {
			return err
		}
	}
	for _, rule := range c.Lag {
		w, err := lagWords(rule)
		if err != nil {
			return err
		}
		for _, n := range w {
			if _, err := t.column("lag", n); err != nil {
				return err
			}
		}
		lagged, err := stats.Lag(t.Frame, w[0], w[1], w[2], 1, w[0]+".lag")
		if lagsRows(rule) {
			lagged, err = stats.LagRow(t.Frame, w[0], w[1], w[2], w[0]+".lag")
		}
		if err := add(lagged, err); err != nil {
			return err
		}
	}
	return nil
}

func (c *LmmCommand) modelOptions(t *Table) (*lmm.Options, error) {
	o := &lmm.Options{ML: c.ML, Weights: c.Weights, Verify: c.Verify}
	need := map[string]string{"weights": c.Weights, "varident": c.VarIdent}
	given := 0
	for _, k := range []struct {
		flag, text string
		kind       lmm.Kind
	}{{"ar1", c.AR1, lmm.AR1}, {"car1", c.CAR1, lmm.ContinuousAR1}, {"compsymm", c.CompSymm, lmm.Symmetric}} {
		if k.text == "" {
			continue
		}
		given++
		time, group, ok := strings.Cut(k.text, "|")
		if !ok {
			time, group = "", k.text
		}
		o.Within = &lmm.Correlation{Kind: k.kind, Time: strings.TrimSpace(time), Group: strings.TrimSpace(group)}
		if o.Within.Time == "1" {
			o.Within.Time = ""
		}
		need[k.flag] = o.Within.Group
		if o.Within.Time != "" {
			if _, err := t.numbers(k.flag, o.Within.Time); err != nil {
				return nil, err
			}
		}
	}
	if given > 1 {
		return nil, wrongUse("--ar1, --car1 and --compsymm exclude each other")
	}
	for flag, name := range need {
		if name == "" {
			continue
		}
		if _, err := t.column(flag, name); err != nil {
			return nil, err
		}
	}
	if c.VarIdent != "" {
		o.Variance = &lmm.Variances{Stratum: c.VarIdent}
	}
	for _, n := range c.Sum {
		if _, err := t.column("sum-contrasts", n); err != nil {
			return nil, err
		}
		if o.Contrasts == nil {
			o.Contrasts = map[string]stats.Contrast{}
		}
		o.Contrasts[n] = stats.Sum()
	}
	return o, nil
}

// tests are the fixed effects with the degrees of freedom that were asked for. A
// method that the model does not allow is said, and no test is shown.
func (m *lmmModel) tests() ([]lmm.Test, error) {
	switch m.DF {
	case "satterthwaite":
		return m.fit.Satterthwaite()
	case "kenward-roger":
		return m.fit.KenwardRoger()
	case "containment":
		return m.fit.Containment()
	}
	return nil, nil
}

func (m *lmmModel) groups() []Object {
	var out []Object
	var seen []string
	for _, e := range m.fit.Effects {
		if !slices.Contains(seen, e.Group) {
			seen = append(seen, e.Group)
			out = append(out, Object{{"name", e.Group}, {"groups", len(e.Levels)}})
		}
	}
	return out
}
