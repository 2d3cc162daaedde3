// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/lmm"
	"github.com/entente-project/entente/stats/meta"
	"github.com/entente-project/entente/stats/psych"
)

// job is one line of the table. Estimates begin with what the fit maximises,
// so that it shows who stopped early.
type job struct {
	what   string
	family string // of session.R
	rows   int
	reach  string
	met    func(ours, r float64) bool // the reach, in seconds; r is 0 where R was not run
	make   func(n int) *table
	fit    func(t *table) (func() ([]float64, error), error)
	// withoutR: R is left out, because it takes more than 300 s.
	withoutR bool
}

func times(x float64) func(ours, r float64) bool {
	return func(ours, r float64) bool { return r == 0 || r >= x*ours }
}

func jobs() []job {
	linear := func(n int, limit float64) job {
		return job{what: fmt.Sprintf("REML meta-analysis, k %d", n), family: "reml", rows: n, reach: fmt.Sprintf("%.3g ms", 1e3*limit),
			met: func(ours, _ float64) bool { return ours <= limit }, make: studies, fit: fitStudies, withoutR: n > 3000}
	}
	slope := func(n int) job {
		return job{what: fmt.Sprintf("random slope, %d rows", n), family: "lmer", rows: n, reach: "10 x", met: times(10), make: sessions, fit: fitSessions}
	}
	return []job{
		linear(300, 0.0006), linear(3000, 0.006), linear(10000, 0.02),
		{what: "three-level, k 1000", family: "three", rows: 1000, reach: "50 x", met: times(50), make: effects, fit: fitEffects},
		slope(1e4), slope(1e5), slope(1e6),
		{what: "CFA 3 x 4 ML, n 1000", family: "ml", rows: 1000, reach: "10 x", met: times(10), make: items(0), fit: fitItems(psych.ML)},
		{what: "CFA 3 x 4 WLSMV, n 1000", family: "wlsmv", rows: 1000, reach: "10 x", met: times(10), make: items(5), fit: fitItems(psych.WLSMV)},
	}
}

// table is invented data: columns of numbers, the same for both.
type table struct {
	names []string
	x     [][]float64
}

func (t *table) column(name string, x []float64) {
	t.names, t.x = append(t.names, name), append(t.x, x)
}

// csv writes every digit.
func (t *table) csv(file string) error {
	var b bytes.Buffer
	for j, name := range t.names {
		if j > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name)
	}
	for i := range t.x[0] {
		for j := range t.x {
			b.WriteByte(",\n"[b2i(j == 0)])
			b.WriteString(strconv.FormatFloat(t.x[j][i], 'g', -1, 64))
		}
	}
	b.WriteByte('\n')
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the data for R: %w", err)
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func studies(k int) *table {
	r := rand.New(rand.NewPCG(1, uint64(k))) //nolint:gosec // invented data
	y, v := make([]float64, k), make([]float64, k)
	for i := range k {
		v[i] = 0.01 + 0.2*r.Float64()
		y[i] = 0.3 + r.NormFloat64()*math.Sqrt(v[i]+0.05)
	}
	t := &table{}
	t.column("yi", y)
	t.column("vi", v)
	return t
}

func fitStudies(t *table) (func() ([]float64, error), error) {
	d := meta.Data{Y: t.x[0], V: t.x[1]}
	return func() ([]float64, error) {
		m, err := meta.Fit(d, meta.Options{})
		if err != nil {
			return nil, err
		}
		return []float64{m.LogLik, m.Tau2, m.Coefficients[0].Estimate, m.Coefficients[0].SE}, nil
	}, nil
}

// effects are four of each study.
func effects(k int) *table {
	t := studies(k)
	r := rand.New(rand.NewPCG(2, 2)) //nolint:gosec // invented data
	study, effect := make([]float64, k), make([]float64, k)
	shared := 0.0
	for i := range k {
		if i%4 == 0 {
			shared = 0.3 * r.NormFloat64()
		}
		t.x[0][i] += shared
		study[i], effect[i] = float64(i/4), float64(i)
	}
	t.column("study", study)
	t.column("effect", effect)
	return t
}

func fitEffects(t *table) (func() ([]float64, error), error) {
	d := meta.MultilevelData{Data: meta.Data{Y: t.x[0], V: t.x[1]}, Levels: []meta.Level{{Name: "study"}, {Name: "effect"}}}
	for i := range t.x[2] {
		for l := range 2 {
			d.Levels[l].Group = append(d.Levels[l].Group, strconv.FormatFloat(t.x[2+l][i], 'g', -1, 64))
		}
	}
	return func() ([]float64, error) {
		m, err := meta.FitMultilevel(d, meta.Options{})
		if err != nil {
			return nil, err
		}
		return []float64{m.LogLik, m.Components[0].Sigma2, m.Components[1].Sigma2, m.Coefficients[0].Estimate, m.Coefficients[0].SE}, nil
	}, nil
}

// sessions are ten of each person, whose level and growth differ.
func sessions(n int) *table {
	r := rand.New(rand.NewPCG(11, 7)) //nolint:gosec // invented data
	y, x, g := make([]float64, n), make([]float64, n), make([]float64, n)
	var level, growth float64
	for i := range n {
		if i%10 == 0 {
			level = 1.3 * r.NormFloat64()
			growth = 0.2*r.NormFloat64() + 0.05*level
		}
		x[i], g[i] = float64(i%10), float64(i/10)
		y[i] = 5 + level + (0.1+growth)*x[i] + r.NormFloat64()
	}
	t := &table{}
	t.column("y", y)
	t.column("x", x)
	t.column("g", g)
	return t
}

func (t *table) frame() (*stats.Frame, error) {
	var columns []*stats.Column
	for j, name := range t.names {
		c, err := stats.NewNumeric(name, t.x[j], nil)
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return stats.NewFrame(columns...)
}

func fitSessions(t *table) (func() ([]float64, error), error) {
	f, err := t.frame()
	if err != nil {
		return nil, err
	}
	return func() ([]float64, error) {
		m, err := lmm.Fit("y ~ x + (x | g)", f, nil)
		if err != nil {
			return nil, err
		}
		if !m.State.Converged {
			return nil, fmt.Errorf("the fit of %d rows did not converge: %+v", m.N, m.State)
		}
		out := []float64{m.LogLik}
		for _, c := range m.Components {
			out = append(out, c.VCov)
		}
		for _, c := range m.Fixed {
			out = append(out, c.Estimate)
		}
		for _, c := range m.Fixed {
			out = append(out, c.SE)
		}
		return out, nil
	}, nil
}

// items are answers of n persons on three correlated factors of four items;
// with levels, cut into that many.
func items(levels int) func(n int) *table {
	return func(n int) *table {
		r := rand.New(rand.NewPCG(1, 7)) //nolint:gosec // invented data
		t := &table{}
		for j := range 12 {
			t.column("y"+string(rune('a'+j)), make([]float64, n))
		}
		for i := range n {
			g := r.NormFloat64()
			for j := range 12 {
				if j%4 == 0 {
					t.x[j][i] = math.Sqrt(.4)*g + math.Sqrt(.6)*r.NormFloat64()
				}
			}
			for f := range 3 {
				eta := t.x[4*f][i]
				for k := range 4 {
					l := .5 + .1*float64(k)
					v := l*eta + math.Sqrt(1-l*l)*r.NormFloat64()
					if levels > 0 {
						v = math.Min(float64(levels-1), math.Max(0, math.Floor(v*1.1+float64(levels)/2)))
					}
					t.x[4*f+k][i] = v
				}
			}
		}
		return t
	}
}

func fitItems(estimator psych.Estimator) func(t *table) (func() ([]float64, error), error) {
	return func(t *table) (func() ([]float64, error), error) {
		model, err := psych.ParseModel("f1 =~ ya+yb+yc+yd\nf2 =~ ye+yf+yg+yh\nf3 =~ yi+yj+yk+yl")
		if err != nil {
			return nil, err
		}
		d := &psych.Table{Names: t.names, X: dense(t)}
		return func() ([]float64, error) {
			f, err := psych.CFA(model, d, psych.Options{Estimator: estimator})
			if err != nil {
				return nil, err
			}
			if !f.Converged {
				return nil, fmt.Errorf("the factor model did not converge with %s", estimator)
			}
			out, se := []float64{-f.Indices.ChiSq}, []float64(nil)
			for _, p := range f.Parameters {
				if p.Op == "=~" {
					out = append(out, p.Estimate)
					if p.Free > 0 {
						se = append(se, p.SE)
					}
				}
			}
			return append(out, se...), nil
		}, nil
	}
}
