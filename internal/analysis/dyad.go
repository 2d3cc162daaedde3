// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/entente-project/entente/stats/psych"
)

// APIMCommand is `stats apim`.
type APIMCommand struct {
	Source     `embed:""`
	Plain      `embed:""`
	Dyad       string   `required:"" help:"Column that names the dyad; the table has a row for each member." placeholder:"COLUMN" group:"Model"`
	Member     string   `help:"Column that tells the members apart, such as their role; the order of the rows where not given." placeholder:"COLUMN" group:"Model"`
	Outcome    string   `required:"" help:"Column of the outcome." placeholder:"COLUMN" group:"Model"`
	Predictors []string `required:"" help:"Columns of the own predictors." placeholder:"COLUMN" group:"Model"`
	Roles      bool     `help:"Members have roles with effects and variances of their own (distinguishable)." group:"Model"`
	Effects    bool     `name:"equal-effects" help:"With --roles: one intercept, actor and partner effect for both roles; their variances differ." group:"Model"`
	Variances  bool     `name:"equal-variances" help:"With --roles: one residual variance for both roles; their effects differ." group:"Model"`
	REML       bool     `name:"reml" help:"Restricted maximum likelihood; full where not given." group:"Model"`
	Center     string   `enum:"grand,none" default:"grand" help:"Centre the predictors on the mean of all members (grand), or not (none)." group:"Model"`
}

// Run does the analysis.
func (c *APIMCommand) Run(ctx context.Context, s *Streams) error {
	if c.Roles && c.Member == "" {
		return wrongUse("--roles needs --member, the column of the roles")
	}
	if (c.Effects || c.Variances) && !c.Roles {
		return wrongUse("--equal-effects and --equal-variances are of roles: add --roles")
	}
	if c.Effects && c.Variances {
		return wrongUse("--equal-effects with --equal-variances leaves no roles: leave --roles out instead")
	}
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		t, pairs, err := c.pairs(t)
		if err != nil {
			return nil, err
		}
		r, err := psych.APIM(pairs.dyads, c.Predictors, psych.APIMOptions{Roles: c.Roles, EqualEffects: c.Effects, EqualVariances: c.Variances, REML: c.REML, Level: c.Level})
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		return c.document(t, pairs, r), nil
	})
}

// paired are the dyads of a table.
type paired struct {
	dyads   []psych.Dyad
	roles   []string // the two values of --member, nil without it
	omitted int      // dyads left out
}

// pairs brings the two rows of each dyad together. A dyad of which one row is
// missing, or a predictor, is left out; so is the row of an outcome that is missing.
func (c *APIMCommand) pairs(t *Table) (*Table, *paired, error) {
	ids, err := t.labels("dyad", c.Dyad)
	if err != nil {
		return nil, nil, err
	}
	names := append([]string{c.Outcome}, c.Predictors...)
	columns := make([][]float64, len(names))
	for i, n := range names {
		flag := "predictors"
		if i == 0 {
			flag = "outcome"
		}
		if columns[i], err = t.numbers(flag, n); err != nil {
			return nil, nil, err
		}
	}
	slot, roles, err := c.slots(t)
	if err != nil {
		return nil, nil, err
	}
	rows := map[string][2]int{}
	var order []string
	for i, id := range ids {
		if id == "" {
			continue
		}
		r, ok := rows[id]
		if !ok {
			r = [2]int{-1, -1}
			order = append(order, id)
		}
		k := slot(i)
		if slot(i) < 0 {
			k = 0
			if r[0] >= 0 {
				k = 1
			}
		}
		if r[k] >= 0 {
			return nil, nil, fmt.Errorf("rows %d and %d: dyad %s has two rows for the same member; each dyad has one row for each of its two members", t.row[r[k]], t.row[i], id)
		}
		r[k] = i
		rows[id] = r
	}
	var whole [][2]int
	var used []int
	for _, id := range order {
		r := rows[id]
		if r[0] < 0 || r[1] < 0 || slices.ContainsFunc(columns[1:], func(col []float64) bool { return math.IsNaN(col[r[0]] + col[r[1]]) }) {
			continue
		}
		whole = append(whole, r)
		for _, i := range r {
			if !math.IsNaN(columns[0][i]) {
				used = append(used, i)
			}
		}
	}
	if len(used) == 0 {
		return nil, nil, fmt.Errorf("no dyad of %s has two rows with all values; the table needs a row for each member", c.Dyad)
	}
	return t.use(used), &paired{c.dyads(columns, whole, used), roles, len(order) - len(whole)}, nil
}

// slots says which member a row is: 0, 1, or -1 where the order decides.
func (c *APIMCommand) slots(t *Table) (func(int) int, []string, error) {
	if c.Member == "" {
		return func(int) int { return -1 }, nil, nil
	}
	l, err := t.labels("member", c.Member)
	if err != nil {
		return nil, nil, err
	}
	col, err := t.Column(c.Member)
	if err != nil {
		return nil, nil, err
	}
	levels := col.AsFactor().Levels()
	if len(levels) != 2 {
		return nil, nil, fmt.Errorf("column %s has %d values (%s); --member needs a column with two", c.Member, len(levels), strings.Join(levels[:min(5, len(levels))], ", "))
	}
	return func(i int) int { return slices.Index(levels, l[i]) }, levels, nil
}

// dyads centres the predictors on the mean of the rows that are used.
func (c *APIMCommand) dyads(columns [][]float64, whole [][2]int, used []int) []psych.Dyad {
	mean := make([]float64, len(columns))
	if c.Center == "grand" {
		for p := 1; p < len(columns); p++ {
			for _, i := range used {
				mean[p] += columns[p][i] / float64(len(used))
			}
		}
	}
	out := make([]psych.Dyad, len(whole))
	for k, rows := range whole {
		for m, i := range rows {
			out[k].Outcome[m] = columns[0][i]
			for p := 1; p < len(columns); p++ {
				out[k].Predictors[m] = append(out[k].Predictors[m], columns[p][i]-mean[p])
			}
		}
	}
	return out
}

func psychObjects(cs []psych.Coefficient) ([]Object, [][]string) {
	var objects []Object
	var rows [][]string
	for _, x := range cs {
		objects = append(objects, Object{{"name", x.Name}, {"estimate", x.Estimate}, {"se", x.SE}, {"t", x.T}, {"p", x.P}, {"lower", x.CI[0]}, {"upper", x.CI[1]}})
		rows = append(rows, []string{x.Name, num(x.Estimate), num(x.SE), num(x.T), prob(x.P), num(x.CI[0]), num(x.CI[1])})
	}
	return objects, rows
}

func psychHead(level float64) []string {
	return []string{"", "estimate", "SE", "t", "p", percent(level) + " from", "to"}
}

func (c *APIMCommand) document(t *Table, pairs *paired, r *psych.APIMResult) *Document {
	method := "maximum likelihood"
	if r.REML {
		method = "REML"
	}
	d := &Document{Analysis: "apim", Source: t, Title: fmt.Sprintf("Actor-partner model of %s by %s, %d dyads", c.Outcome, method, r.Dyads)}
	objects, rows := psychObjects(r.Coefficients)
	title := ""
	if r.Roles != nil {
		title = "Means over the roles, and half the differences"
	}
	d.table(title, psychHead(c.Level), rows)
	var own []Object
	for k, cs := range r.Roles {
		o, rows := psychObjects(cs)
		own = append(own, Object{{"role", pairs.roles[k]}, {"sd", r.SD[k]}, {"coefficients", o}})
		d.table(c.Member+" "+pairs.roles[k], psychHead(c.Level), rows)
	}
	tests := c.tests(d, r)
	d.Result = Object{{"dyads", r.Dyads}, {"rows", r.Rows}, {"omitted", pairs.omitted}, {"reml", r.REML}, {"coefficients", objects}, {"vcov", matrixRows(r.Vcov)}, {"roles", own}, {"tests", tests}, {"sd", r.SD[:]}, {"rho", r.Rho}, {"loglik", r.LogL}, {"parameters", r.K}, {"aic", r.AIC}}
	if half := 2*r.Dyads - r.Rows; half > 0 {
		d.say("Of %d dyads the outcome of one member is missing; that of the other is used.", half)
	}
	d.say("Residual standard deviations %s and %s, their correlation %s. Log-likelihood %.4f, AIC %.2f.", short(r.SD[0]), short(r.SD[1]), short(r.Rho), r.LogL, r.AIC)
	return d
}

// tests shows what roles, and actor and partner effects, have in common.
func (c *APIMCommand) tests(d *Document, r *psych.APIMResult) []Object {
	var objects []Object
	var rows [][]string
	for _, x := range r.Tests {
		kind, under := "F", any(x.DF2)
		df2 := whole(x.DF2)
		if x.DF2 == 0 {
			kind, under, df2 = "chi2", nil, ""
		}
		objects = append(objects, Object{{"equal", x.Name}, {"kind", kind}, {"stat", x.Stat}, {"df1", x.DF1}, {"df2", under}, {"p", x.P}})
		rows = append(rows, []string{x.Name, map[string]string{"F": "F", "chi2": "chi²"}[kind], num(x.Stat), whole(x.DF1), df2, prob(x.P)})
	}
	d.table("Are these equal?", []string{"", "test", "", "df", "df of error", "p"}, rows)
	return objects
}

// TruthBiasCommand is `stats truthbias`.
type TruthBiasCommand struct {
	Source    `embed:""`
	Plain     `embed:""`
	Judgment  string `required:"" help:"Column of the judgments, for example the therapist's ratings." placeholder:"COLUMN" group:"Model"`
	Truth     string `required:"" help:"Column of what is taken as true, for example the client's." placeholder:"COLUMN" group:"Model"`
	Moderator string `help:"Column that may change bias and truth." placeholder:"COLUMN" group:"Model"`
	Dyad      string `help:"Column that names the dyad, where the table has many sessions of each: how far judgments follow the truth from session to session." placeholder:"COLUMN" group:"Model"`
}

// Run does the analysis.
func (c *TruthBiasCommand) Run(ctx context.Context, s *Streams) error {
	if c.Dyad != "" {
		return c.sessions(ctx, s)
	}
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		names, flags := []string{c.Judgment, c.Truth}, []string{"judgment", "truth"}
		if c.Moderator != "" {
			names, flags = append(names, c.Moderator), append(flags, "moderator")
		}
		t, v, err := t.whole(flags, names)
		if err != nil {
			return nil, err
		}
		r, err := psych.TruthBias(v[0], v[1], append(v, nil)[2], c.Level)
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		d := &Document{Analysis: "truthbias", Source: t, Title: fmt.Sprintf("Truth and bias: %s judged by %s, %d dyads", c.Truth, c.Judgment, r.N)}
		objects, rows := psychObjects(r.Coefficients)
		d.Result = append(regressionObject(r.Regression), Object{{"mean_truth", r.MeanTruth}, {"directional_bias", r.DirectionalBias}, {"truth", r.Truth}, {"r", r.R}, {"paired_t", r.PairedT}, {"coefficients", objects}}...)
		d.table("", psychHead(c.Level), rows)
		d.say("Directional bias %s: judgments lie %s the truth on average (mean truth %s). Truth force %s; correlation %s.", short(r.DirectionalBias), aboveOrBelow(r.DirectionalBias), short(r.MeanTruth), short(r.Truth), short(r.R))
		d.say("%s", regressionSentence(r.Regression))
		return d, nil
	})
}

func aboveOrBelow(v float64) string {
	if v < 0 {
		return "below"
	}
	return "above"
}

// whole takes numeric columns and the rows in which they are complete.
func (t *Table) whole(flags, names []string) (*Table, [][]float64, error) {
	for i, n := range names {
		if _, err := t.numbers(flags[i], n); err != nil {
			return nil, nil, err
		}
	}
	t, err := t.complete(names...)
	if err != nil {
		return nil, nil, err
	}
	var out [][]float64
	for i, n := range names {
		v, err := t.numbers(flags[i], n)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, v)
	}
	return t, out, nil
}

func regressionObject(r psych.Regression) Object {
	return Object{{"n", r.N}, {"df", r.DF}, {"sigma", r.Sigma}, {"r2", r.R2}, {"F", r.F}, {"F_p", r.FP}, {"vcov", matrixRows(r.Cov)}}
}

func regressionSentence(r psych.Regression) string {
	return fmt.Sprintf("R² %s, residual standard deviation %s on %d degrees of freedom; F = %s, %s.", short(r.R2), short(r.Sigma), r.DF, short(r.F), pShort(r.FP))
}

// SurfaceCommand is `stats surface`.
type SurfaceCommand struct {
	Source  `embed:""`
	Plain   `embed:""`
	X       string `required:"" help:"Column of the first rating." placeholder:"COLUMN" group:"Model"`
	Y       string `required:"" help:"Column of the second rating, on the same scale." placeholder:"COLUMN" group:"Model"`
	Outcome string `required:"" help:"Column of the outcome." placeholder:"COLUMN" group:"Model"`
	Center  string `default:"mean" help:"Value that both ratings are centred on: a number (the middle of the scale), mean (of both together), or none." group:"Model"`
}

// Run does the analysis.
func (c *SurfaceCommand) Run(ctx context.Context, s *Streams) error {
	if _, ok := number(c.Center); !ok && c.Center != "mean" && c.Center != "none" {
		return wrongUse("--center %s: give a number, mean or none", c.Center)
	}
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		t, v, err := t.whole([]string{"x", "y", "outcome"}, []string{c.X, c.Y, c.Outcome})
		if err != nil {
			return nil, err
		}
		centre := c.centre(v[0], v[1])
		for i := range v[0] {
			v[0][i] -= centre
			v[1][i] -= centre
		}
		r, err := psych.ResponseSurface(v[0], v[1], v[2], c.Level)
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		return c.document(t, r, centre), nil
	})
}

func (c *SurfaceCommand) centre(x, y []float64) float64 {
	if v, ok := number(c.Center); ok {
		return v
	}
	if c.Center == "none" {
		return 0
	}
	sum := 0.0
	for i := range x {
		sum += x[i] + y[i]
	}
	return sum / float64(2*len(x))
}

func (c *SurfaceCommand) document(t *Table, r *psych.Surface, centre float64) *Document {
	d := &Document{Analysis: "surface", Source: t, Title: fmt.Sprintf("Response surface of %s on %s and %s, %d rows", c.Outcome, c.X, c.Y, r.N)}
	objects, rows := psychObjects(r.Coefficients)
	tests, shown := psychObjects(r.A[:])
	var at any
	if r.HasStationary {
		at = r.Stationary[:]
	}
	d.Result = append(regressionObject(r.Regression), Object{{"centre", centre}, {"coefficients", objects}, {"surface", tests}, {"stationary", at}}...)
	d.table("", psychHead(c.Level), rows)
	for i, what := range []string{"slope where both agree", "curve where both agree", "slope where they differ", "curve where they differ", "ridge off the line of agreement"} {
		shown[i][0] = fmt.Sprintf("a%d  %s", i+1, what)
	}
	d.table("The surface", psychHead(c.Level), shown)
	d.say("Both ratings are centred on %s. %s", short(centre), regressionSentence(r.Regression))
	return d
}
