// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// perform runs a command line as the program does, and returns what it prints.
func perform(t *testing.T, in io.Reader, args ...string) (string, error) {
	t.Helper()
	var c Commands
	var out bytes.Buffer
	p, err := kong.New(&c, kong.Name("entente"), kong.BindTo(t.Context(), (*context.Context)(nil)), kong.Bind(&Streams{In: in, Out: &out, Err: io.Discard}), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) { t.Error("the parser ends the program") }))
	if err != nil {
		t.Fatal(err)
	}
	k, err := p.Parse(args)
	if err != nil {
		return "", err
	}
	err = k.Run()
	return out.String(), err
}

// object runs a command line with --json.
func object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out, err := perform(t, strings.NewReader(""), append(args, "--json")...)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	var o map[string]any
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return o
}

// pick follows a path such as model/coefficients/*/estimate and returns the
// numbers there, in their order.
func pick(v any, path string) ([]float64, error) {
	if path == "" {
		switch v := v.(type) {
		case float64:
			return []float64{v}, nil
		case []any:
			var out []float64
			for _, x := range v {
				n, err := pick(x, "")
				if err != nil {
					return nil, err
				}
				out = append(out, n...)
			}
			return out, nil
		}
		return nil, fmt.Errorf("%v is no number", v)
	}
	head, rest, _ := strings.Cut(path, "/")
	switch v := v.(type) {
	case map[string]any:
		next, ok := v[head]
		if !ok {
			return nil, fmt.Errorf("there is no key %s", head)
		}
		return pick(next, rest)
	case []any:
		if head != "*" {
			i, err := strconv.Atoi(head)
			if err != nil || i >= len(v) {
				return nil, fmt.Errorf("there is no element %s of %d", head, len(v))
			}
			return pick(v[i], rest)
		}
		var out []float64
		for _, x := range v {
			n, err := pick(x, rest)
			if err != nil {
				return nil, err
			}
			out = append(out, n...)
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s leads nowhere", head)
}

// same is a pair of paths: in our result, and among the expected values.
type same struct{ ours, theirs string }

// calls is one command line of a case with what is compared.
type calls struct {
	args  string // separated by spaces; ' holds a part together
	under string // in front of each path of the expected values
	pairs []same
}

// goldenCase is a case of the folders with reference values.
type goldenCase struct {
	folder, id string
	tolerance  float64
	calls      []calls
}

func parts(line string) []string {
	var out []string
	for i, p := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, p)
			continue
		}
		out = append(out, strings.Fields(p)...)
	}
	return out
}

func (g goldenCase) run(t *testing.T) {
	t.Helper()
	base := filepath.Join("..", "..", "stats", g.folder, "testdata", "golden", g.id)
	raw, err := os.ReadFile(base + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Expected any }
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, call := range g.calls {
		words := parts(call.args)
		line := append([]string{words[0], base + ".csv"}, words[1:]...)
		o := object(t, line...)
		for _, p := range call.pairs {
			ours, err := pick(o["result"], p.ours)
			if err != nil {
				t.Errorf("%s: result/%s: %v", call.args, p.ours, err)
				continue
			}
			path := strings.Trim(call.under+"/"+p.theirs, "/")
			want, err := pick(c.Expected, path)
			if err != nil {
				t.Errorf("%s: expected/%s: %v", call.args, path, err)
				continue
			}
			compared += g.compare(t, call.args+": "+p.ours, ours, want)
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
	t.Logf("%d numbers agree", compared)
}

func (g goldenCase) compare(t *testing.T, what string, ours, want []float64) int {
	t.Helper()
	if len(ours) < len(want) || len(want) == 0 {
		t.Errorf("%s: %d numbers, %d expected", what, len(ours), len(want))
		return 0
	}
	for i, w := range want {
		if d := math.Abs(ours[i] - w); !(d <= g.tolerance*math.Abs(w)+1e-10) {
			t.Errorf("%s: number %d is %.12g, expected %.12g", what, i, ours[i], w)
		}
	}
	return len(want)
}

// uni is what HELPERS.R calls uni: a model with one variance.
func uni(more ...same) []same {
	return append([]same{
		{"model/k", "k"}, {"model/p", "p"}, {"model/tau2", "tau2"}, {"model/coefficients/*/estimate", "beta"}, {"model/coefficients/*/se", "se"}, {"model/coefficients/*/stat", "stat"},
		{"model/coefficients/*/p", "pval"}, {"model/coefficients/*/lower", "ci_lb"}, {"model/coefficients/*/upper", "ci_ub"}, {"model/QE/stat", "QE"}, {"model/QE/p", "QEp"}, {"model/QM/p", "QMp"},
		{"model/I2", "I2"}, {"model/H2", "H2"}, {"model/loglik", "logLik"},
	}, more...)
}

var (
	prediction = []same{{"predictions/0/pi_lower", "pi_lb"}, {"predictions/0/pi_upper", "pi_ub"}}
	estimators = []string{"FE", "DL", "HE", "HS", "SJ", "PM", "ML", "REML", "EB"}
)

// all runs every estimator.
func all(args, under string) []calls {
	var out []calls
	for _, e := range estimators {
		pairs := uni(prediction...)
		if e == "FE" { // R gives no prediction interval where nothing differs
			pairs = uni()
		}
		out = append(out, calls{args + " --method " + e, strings.Trim(under+"/"+e, "/"), pairs})
	}
	return out
}

// mv is what HELPERS.R calls mv: a model with several variances.
func mv() []same {
	return []same{
		{"model/k", "k"}, {"model/components/*/sigma2", "sigma2"}, {"model/components/*/groups", "s_nlevels"}, {"model/coefficients/*/estimate", "beta"}, {"model/coefficients/*/se", "se"}, {"model/coefficients/*/stat", "stat"},
		{"model/coefficients/*/p", "pval"}, {"model/coefficients/*/lower", "ci_lb"}, {"model/coefficients/*/upper", "ci_ub"}, {"model/QE/stat", "QE"}, {"model/QE/p", "QEp"}, {"model/loglik", "logLik"},
	}
}

// lm4 is what HELPERS.R calls lm4: a mixed model as lme4 reports it.
func lm4(more ...same) []same {
	return append([]same{
		{"model/n", "n"}, {"model/criterion", "criterion"}, {"model/loglik", "logLik"}, {"model/aic", "AIC"}, {"model/bic", "BIC"}, {"model/sigma", "sigma"}, {"fixed/*/estimate", "beta"}, {"fixed/*/se", "se"},
		{"model/vcov", "vcov_beta/values"}, {"model/components/0/vcov", "varcorr/0/vcov"},
	}, more...)
}

func ranefs(group string) []same {
	return []same{{"fitted", "fitted_head"}, {"residuals", "resid_head"}, {"ranef/0/modes", "ranef_head/" + group + "/values"}}
}

// fit is what HELPERS.R calls cf: a factor model as lavaan reports it.
func fit(params string, more ...same) []same {
	return append([]same{
		{params + "n", "n"}, {params + "fit/npar", "fit/npar"}, {params + "fit/test/chi2", "fit/chisq"}, {params + "fit/test/df", "fit/df"}, {params + "fit/test/p", "fit/pvalue"}, {params + "fit/baseline/chi2", "fit/baseline.chisq"},
		{params + "fit/cfi", "fit/cfi"}, {params + "fit/tli", "fit/tli"}, {params + "fit/rmsea/value", "fit/rmsea"}, {params + "fit/rmsea/lower", "fit/rmsea.ci.lower"}, {params + "fit/rmsea/upper", "fit/rmsea.ci.upper"}, {params + "fit/srmr", "fit/srmr"},
	}, more...)
}

func scaled() []same {
	return []same{{"fit/scaled/test/chi2", "fit/chisq.scaled"}, {"fit/scaled/factor", "fit/chisq.scaling.factor"}, {"fit/scaled/cfi", "fit/cfi.scaled"}, {"fit/scaled/rmsea/value", "fit/rmsea.scaled"}}
}
