// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/meta"
)

// rFlag is --r of the meta-analysis: with a column it names the correlations,
// alone it asks for R code, as it does with the other commands.
type rFlag struct {
	Column string
	Code   bool
}

// Decode reads the flag with or without a value.
func (r *rFlag) Decode(ctx *kong.DecodeContext) error {
	if t := ctx.Scan.Peek(); t.InferredType() == kong.EOLToken || strings.HasPrefix(t.String(), "-") {
		r.Code = true
		return nil
	}
	return ctx.Scan.PopValueInto("column", &r.Column)
}

// EffectColumns name the columns that effect sizes come from.
type EffectColumns struct {
	Yi      string `help:"Effect sizes." placeholder:"COLUMN" group:"Effect sizes"`
	Vi      string `help:"Their sampling variances." placeholder:"COLUMN" group:"Effect sizes"`
	Sei     string `help:"Their standard errors, in place of the variances." placeholder:"COLUMN" group:"Effect sizes"`
	R       rFlag  `name:"r" help:"Correlations." placeholder:"COLUMN" group:"Effect sizes"`
	N       string `help:"Numbers of people." placeholder:"COLUMN" group:"Effect sizes"`
	D       string `help:"Cohen's d, with --n1 and --n2." placeholder:"COLUMN" group:"Effect sizes"`
	M1      string `name:"m1" help:"Means of the first group, or occasion." placeholder:"COLUMN" group:"Effect sizes"`
	SD1     string `name:"sd1" help:"Its standard deviations." placeholder:"COLUMN" group:"Effect sizes"`
	N1      string `name:"n1" help:"Its numbers of people." placeholder:"COLUMN" group:"Effect sizes"`
	M2      string `name:"m2" help:"Means of the second group, or occasion." placeholder:"COLUMN" group:"Effect sizes"`
	SD2     string `name:"sd2" help:"Its standard deviations." placeholder:"COLUMN" group:"Effect sizes"`
	N2      string `name:"n2" help:"Its numbers of people." placeholder:"COLUMN" group:"Effect sizes"`
	Rho12   string `name:"r12" help:"Correlations between the two occasions (SMCR, SMCC)." placeholder:"COLUMN" group:"Effect sizes"`
	Ai      string `help:"First group, people with the event." placeholder:"COLUMN" group:"Effect sizes"`
	Bi      string `help:"First group, without it (or give --n1)." placeholder:"COLUMN" group:"Effect sizes"`
	Ci      string `help:"Second group, with the event." placeholder:"COLUMN" group:"Effect sizes"`
	Di      string `help:"Second group, without it (or give --n2)." placeholder:"COLUMN" group:"Effect sizes"`
	T       string `help:"t statistics, with --n for correlations or --n1 and --n2 for differences." placeholder:"COLUMN" group:"Effect sizes"`
	F       string `help:"F statistics with one numerator degree of freedom, as --t." placeholder:"COLUMN" group:"Effect sizes"`
	Chi2    string `name:"chi2" help:"Chi-squared on one degree of freedom, with --n." placeholder:"COLUMN" group:"Effect sizes"`
	P       string `help:"Two-sided p-values, as --t." placeholder:"COLUMN" group:"Effect sizes"`
	Sign    string `help:"Column whose sign is the direction of the effect, where --f, --chi2 or --p hides it." placeholder:"COLUMN" group:"Effect sizes"`
	RelX    string `name:"reliability-x" help:"Reliabilities of the first measure: effects are corrected for attenuation." placeholder:"COLUMN" group:"Effect sizes"`
	RelY    string `name:"reliability-y" help:"Reliabilities of the second measure." placeholder:"COLUMN" group:"Effect sizes"`
	Vtype   string `enum:"LS,LS2,UB" default:"LS" help:"Formula for the variance of Hedges' g: LS, LS2 or UB." group:"Effect sizes"`
	Measure string `name:"measure" help:"Effect size: ZCOR (of r; default), COR, UCOR; SMD (default), SMDH, MD, SMCR, SMCC; OR (default), RR, RD, PETO; GEN for --yi. For --yi it says what they are." placeholder:"NAME" group:"Effect sizes"`
}

// effects are the data of a meta-analysis with what they are.
type effects struct {
	measure string
	y, v    []float64
}

// kinds list, for each set of columns, the measures that can be made of it.
var kinds = map[string][]string{
	"yi":    {"GEN", "ZCOR", "COR", "UCOR", "SMD", "SMDH", "MD", "SMCR", "SMCC", "OR", "RR", "RD", "PETO"},
	"r":     {"ZCOR", "COR", "UCOR"},
	"means": {"SMD", "SMDH", "MD"},
	"pairs": {"SMCR", "SMCC"},
	"table": {"OR", "RR", "RD", "PETO"},
	"d":     {"SMD"},
}

// kind finds out which columns were given, and the flags that name them.
func (e *EffectColumns) kind() (kind string, names map[string]string, err error) {
	all := map[string]string{"yi": e.Yi, "vi": e.Vi, "sei": e.Sei, "r": e.R.Column, "n": e.N, "d": e.D, "m1": e.M1, "sd1": e.SD1, "n1": e.N1, "m2": e.M2, "sd2": e.SD2, "n2": e.N2, "r12": e.Rho12, "ai": e.Ai, "bi": e.Bi, "ci": e.Ci, "di": e.Di, "t": e.T, "f": e.F, "chi2": e.Chi2, "p": e.P, "sign": e.Sign, "reliability-x": e.RelX, "reliability-y": e.RelY}
	names = map[string]string{}
	for k, v := range all {
		if v != "" {
			names[k] = v
		}
	}
	has := func(flags ...string) bool {
		for _, f := range flags {
			if names[f] == "" {
				return false
			}
		}
		return true
	}
	switch {
	case has("yi") && has("vi") != has("sei"):
		kind = "yi"
	case has("r", "n"):
		kind = "r"
	case has("m1", "sd1", "m2", "r12", "n"):
		kind = "pairs"
	case has("m1", "sd1", "n1", "m2", "sd2", "n2"):
		kind = "means"
	case has("ai", "ci") && (has("bi", "di") || has("n1", "n2")):
		kind = "table"
	case has("d", "n1", "n2"):
		kind = "d"
	case (has("t") || has("f") || has("p")) && has("n1", "n2"):
		kind = "d"
	case (has("t") || has("f") || has("p") || has("chi2")) && has("n"):
		kind = "r"
	default:
		return "", nil, wrongUse("say where the effect sizes are: --yi with --vi or --sei; --r with --n; --m1 --sd1 --n1 --m2 --sd2 --n2; --ai --bi --ci --di; --d, --t, --f or --p with --n1 --n2; --t, --f, --chi2 or --p with --n")
	}
	return kind, names, nil
}

func (e *EffectColumns) chosen(kind string) (string, error) {
	m := strings.ToUpper(e.Measure)
	if m == "" {
		return kinds[kind][0], nil
	}
	if !slices.Contains(kinds[kind], m) {
		return "", wrongUse("--measure %s does not fit these columns; there are %s", e.Measure, strings.Join(kinds[kind], ", "))
	}
	return m, nil
}

// read computes the effect sizes of the complete rows.
func (e *EffectColumns) read(t *Table, also []string) (*Table, *effects, error) {
	kind, names, err := e.kind()
	if err != nil {
		return nil, nil, err
	}
	measure, err := e.chosen(kind)
	if err != nil {
		return nil, nil, err
	}
	need := slices.Clone(also)
	for flag, name := range names {
		if _, err := t.numbers(flag, name); err != nil {
			return nil, nil, err
		}
		if !slices.Contains(need, name) {
			need = append(need, name)
		}
	}
	if t, err = t.complete(need...); err != nil {
		return nil, nil, err
	}
	col := map[string][]float64{}
	for flag, name := range names {
		if col[flag], err = t.numbers(flag, name); err != nil {
			return nil, nil, err
		}
	}
	y, v := make([]float64, t.Rows()), make([]float64, t.Rows())
	for i := range y {
		at := func(flag string) float64 {
			if c := col[flag]; c != nil {
				return c[i]
			}
			return math.NaN()
		}
		x, err := e.one(kind, measure, at)
		if err == nil && (e.RelX != "" || e.RelY != "") {
			x, err = attenuated(x, at)
		}
		if err == nil && (!(x.V > 0) || math.IsInf(x.V, 0) || math.IsInf(x.Y, 0)) {
			err = fmt.Errorf("the sampling variance is %g; it must be above 0", x.V)
		}
		if err != nil {
			return nil, nil, t.atRow(i, names, err)
		}
		y[i], v[i] = x.Y, x.V
	}
	return t, &effects{measure: measure, y: y, v: v}, nil
}

// atRow names the row of the file, and the columns that a study's effect is of.
func (t *Table) atRow(i int, names map[string]string, err error) error {
	var cols []string
	for _, n := range names {
		cols = append(cols, n)
	}
	slices.Sort(cols)
	text := err.Error()
	if d, ok := err.(*meta.DataError); ok { //nolint:errorlint // meta returns it bare
		text = d.Reason
	}
	return fmt.Errorf("row %d, columns %s: %s; mend the row, or leave it out with --keep", t.row[i], strings.Join(cols, ", "), text)
}

func attenuated(x meta.Effect, at func(string) float64) (meta.Effect, error) {
	one := func(flag string) float64 {
		if v := at(flag); !math.IsNaN(v) {
			return v
		}
		return 1
	}
	return meta.Disattenuated(x, one("reliability-x"), one("reliability-y"))
}

func (e *EffectColumns) one(kind, measure string, at func(string) float64) (meta.Effect, error) {
	has := func(flag string) bool { return !math.IsNaN(at(flag)) }
	switch kind {
	case "yi":
		if has("sei") {
			return meta.Effect{Y: at("yi"), V: at("sei") * at("sei")}, nil
		}
		return meta.Effect{Y: at("yi"), V: at("vi")}, nil
	case "r":
		r, err := correlation(at)
		if err != nil {
			return meta.Effect{}, err
		}
		switch measure {
		case "COR":
			return meta.Correlation(r, at("n"))
		case "UCOR":
			return meta.CorrelationUnbiased(r, at("n"))
		}
		return meta.FisherZ(r, at("n"))
	case "pairs":
		p := meta.PrePost{N: at("n"), First: at("m1"), Second: at("m2"), SDFirst: at("sd1"), SDSecond: at("sd2"), R: at("r12")}
		if measure == "SMCC" {
			return meta.StandardizedChangeScore(p)
		}
		if !has("sd2") {
			p.SDSecond = p.SDFirst
		}
		return meta.StandardizedChange(p)
	case "means":
		a, b := meta.Arm{N: at("n1"), Mean: at("m1"), SD: at("sd1")}, meta.Arm{N: at("n2"), Mean: at("m2"), SD: at("sd2")}
		switch measure {
		case "MD":
			return meta.MeanDifference(a, b)
		case "SMDH":
			return meta.StandardizedMeanDifferenceUnequal(a, b)
		}
		return meta.StandardizedMeanDifference(a, b, meta.SMDVariance(e.Vtype))
	case "table":
		return twoByTwo(measure, at)
	}
	d, err := difference(at)
	if err != nil {
		return meta.Effect{}, err
	}
	return meta.HedgesG(d, at("n1"), at("n2"), meta.SMDVariance(e.Vtype))
}

func twoByTwo(measure string, at func(string) float64) (meta.Effect, error) {
	t := meta.Table{A: at("ai"), B: at("bi"), C: at("ci"), D: at("di")}
	if math.IsNaN(t.B) {
		t.B = at("n1") - t.A
	}
	if math.IsNaN(t.D) {
		t.D = at("n2") - t.C
	}
	switch measure {
	case "RR":
		return meta.LogRiskRatio(t)
	case "RD":
		return meta.RiskDifference(t)
	case "PETO":
		return meta.PetoOddsRatio(t)
	}
	return meta.LogOddsRatio(t)
}

func signed(v float64, err error, at func(string) float64) (float64, error) {
	if s := at("sign"); s < 0 {
		v = -v
	}
	return v, err
}

func correlation(at func(string) float64) (float64, error) {
	n := at("n")
	var r float64
	var err error
	switch {
	case !math.IsNaN(at("r")):
		return at("r"), nil
	case !math.IsNaN(at("t")):
		return meta.RFromT(at("t"), n-2)
	case !math.IsNaN(at("f")):
		r, err = meta.RFromF(at("f"), n-2)
	case !math.IsNaN(at("chi2")):
		r, err = meta.RFromChi2(at("chi2"), n)
	default:
		r, err = meta.RFromP(at("p"), n)
	}
	return signed(r, err, at)
}

func difference(at func(string) float64) (float64, error) {
	n1, n2 := at("n1"), at("n2")
	var d float64
	var err error
	switch {
	case !math.IsNaN(at("d")):
		return at("d"), nil
	case !math.IsNaN(at("t")):
		return meta.DFromT(at("t"), n1, n2)
	case !math.IsNaN(at("f")):
		d, err = meta.DFromF(at("f"), n1, n2)
	default:
		d, err = meta.DFromP(at("p"), n1, n2)
	}
	return signed(d, err, at)
}

// scale says how an estimate is shown to readers beside the scale of the model.
type scale struct {
	name string
	back func(float64) float64
}

// shownAs chooses the scale: r for Fisher's z, ratios for their logarithms.
func shownAs(transform, measure string) (scale, error) {
	if transform == "auto" {
		switch measure {
		case "ZCOR":
			transform = "ztor"
		case "OR", "RR", "PETO":
			transform = "exp"
		default:
			transform = "none"
		}
	}
	switch transform {
	case "ztor":
		return scale{"correlation", meta.ZToR}, nil
	case "exp":
		return scale{map[string]string{"OR": "odds ratio", "PETO": "odds ratio", "RR": "risk ratio"}[measure], math.Exp}, nil
	}
	return scale{}, nil
}

// oneSided reads the formula of --mods, which may stand without its tilde.
func oneSided(formula string) (*stats.Formula, error) {
	text := formula
	if !strings.Contains(text, "~") {
		text = "~ " + text
	}
	f, err := stats.ParseFormula(text)
	if err != nil {
		return nil, wrongUse("--mods '%s': %v", formula, err)
	}
	return f, nil
}

// moderators reads --mods into columns, with the rows in which they are complete.
func moderators(t *Table, formula string) (*stats.Formula, *stats.Design, error) {
	f, err := oneSided(formula)
	if err != nil {
		return nil, nil, err
	}
	if f.Response() != "" || len(f.Random) > 0 {
		return nil, nil, wrongUse("--mods '%s': give the moderators only, such as 'year + age'", formula)
	}
	for _, n := range f.Variables() {
		if _, err := t.column("mods", n); err != nil {
			return nil, nil, err
		}
	}
	d, err := stats.NewDesign(f, t.Frame, stats.DesignOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("--mods '%s': %w", formula, err)
	}
	return f, d, nil
}
