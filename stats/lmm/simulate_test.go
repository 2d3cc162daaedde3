// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/entente-project/entente/stats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestBootstrap(t *testing.T) {
	t.Parallel()
	m := mustFit(t, "Reaction ~ Days + (Days | Subject)", readFrame(t, "lmm_01_sleepstudy_reml.csv"), nil)
	o := BootstrapOptions{Draws: 300, Seed: 7}
	b, err := m.Bootstrap(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.Bootstrap(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.Intervals, again.Intervals) {
		t.Error("the same seed gives other intervals")
	}
	profile, err := m.Profile(t.Context(), 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range profile {
		w := p.Upper - p.Lower
		if got := b.Intervals[i]; got.Name != p.Name || math.Abs(got.Lower-p.Lower) > 0.25*w || math.Abs(got.Upper-p.Upper) > 0.25*w {
			t.Errorf("bootstrap %+v, profile %+v", got, p)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int) {
		if done == 5 {
			cancel()
		}
	}
	if _, err := m.Bootstrap(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestSimulateHasTheStructure estimates correlation and ratio again from responses
// drawn from a fit.
func TestSimulateHasTheStructure(t *testing.T) {
	t.Parallel()
	f := readFrame(t, "sessions.csv")
	for _, kind := range []Kind{AR1, ContinuousAR1, Symmetric} {
		o := &Options{Within: &Correlation{Kind: kind, Group: "id", Time: "t"}, Variance: &Variances{Stratum: "arm"}}
		m := mustFit(t, "y ~ t", f, o)
		const draws = 20
		phi, ratio := 0.0, 0.0
		for seed := range uint64(draws) {
			y, err := stats.NewNumeric("y", m.Simulate(seed), nil)
			if err != nil {
				t.Fatal(err)
			}
			f2, err := f.With(y)
			if err != nil {
				t.Fatal(err)
			}
			m2 := mustFit(t, "y ~ t", f2, o)
			phi += m2.Residual.Correlation / draws
			ratio += math.Log(m2.Residual.Ratio[0]) / draws
		}
		if math.Abs(phi-m.Residual.Correlation) > 0.06 || math.Abs(ratio-math.Log(m.Residual.Ratio[0])) > 0.12 {
			t.Errorf("kind %d: mean correlation %v, want %v; mean ratio %v, want %v", kind, phi, m.Residual.Correlation, math.Exp(ratio), m.Residual.Ratio[0])
		}
	}
}

// TestPredictCorrelated computes predictions with an AR(1) from the whole
// covariance matrix.
func TestPredictCorrelated(t *testing.T) {
	t.Parallel()
	f := readFrame(t, "sessions.csv")
	o := &Options{Within: &Correlation{Kind: AR1, Group: "id", Time: "t"}, Variance: &Variances{Stratum: "arm"}}
	m := mustFit(t, "y ~ t + (1 | id)", f, o)
	col := func(name string) []float64 { c, _ := f.Column(name); return c.Floats() }
	arm, _ := f.Column("arm")
	id, tm, y := col("id"), col("t"), col("y")
	sd := func(level string) float64 { return m.Residual.SD[slices.Index(m.Residual.Strata, level)] }
	cov := func(i1, t1, s1, i2, t2, s2 float64) float64 {
		if i1 != i2 {
			return 0
		}
		return m.Components[0].VCov + s1*s2*math.Pow(m.Residual.Correlation, math.Abs(t1-t2))
	}
	n := f.Rows()
	v, x := mat.NewSymDense(n, nil), mat.NewDense(n, 2, nil)
	for i := range n {
		li, _ := arm.Level(i)
		x.SetRow(i, []float64{1, tm[i]})
		for j := range i + 1 {
			lj, _ := arm.Level(j)
			v.SetSym(i, j, cov(id[i], tm[i], sd(li), id[j], tm[j], sd(lj)))
		}
	}
	var inv, xv, info, cb mat.Dense
	if err := inv.Inverse(v); err != nil {
		t.Fatal(err)
	}
	xv.Mul(x.T(), &inv)
	info.Mul(&xv, x)
	if err := cb.Inverse(&info); err != nil {
		t.Fatal(err)
	}
	var xy, beta, e mat.VecDense
	xy.MulVec(&xv, mat.NewVecDense(n, y))
	beta.MulVec(&cb, &xy)
	e.MulVec(x, &beta)
	e.SubVec(mat.NewVecDense(n, y), &e)
	news := frame(t, map[string][]float64{"t": {13, 15, 4.5, 13}, "id": {1, 1, 2, 99}})
	news, err := news.With(stats.NewFactor("arm", []string{"b", "b", "a", "a"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := m.Predict(news, PredictOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for k, p := range ps {
		nt, _ := news.Column("t")
		ni, _ := news.Column("id")
		na, _ := news.Column("arm")
		level, _ := na.Level(k)
		ti, ii := nt.Floats()[k], ni.Floats()[k]
		c := mat.NewVecDense(n, nil)
		for i := range n {
			li, _ := arm.Level(i)
			c.SetVec(i, cov(ii, ti, sd(level), id[i], tm[i], sd(li)))
		}
		var vc, d mat.VecDense
		vc.MulVec(&inv, c)
		d.MulVec(x.T(), &vc)
		x0 := mat.NewVecDense(2, []float64{1, ti})
		mean := mat.Dot(x0, &beta) + mat.Dot(&vc, &e)
		d.SubVec(x0, &d)
		se := math.Sqrt(m.Components[0].VCov + sd(level)*sd(level) - mat.Dot(c, &vc) + mat.Inner(&d, &cb, &d))
		if math.Abs(p.Mean-mean) > 1e-8 || math.Abs(p.NewSE-se) > 1e-8 {
			t.Errorf("row %d: %v (%v), want %v (%v)", k, p.Mean, p.NewSE, mean, se)
		}
	}
}

// TestDrillCoverage counts how often intervals hold the truth, where ENTENTE_DRILL
// is set.
func TestDrillCoverage(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("a long simulation: set ENTENTE_DRILL")
	}
	f := readFrame(t, "lmm_01_sleepstudy_reml.csv")
	truth := mustFit(t, "Reaction ~ Days + (Days | Subject)", f, nil)
	const draws = 2000
	hits := map[string]int{}
	for seed := range uint64(draws) {
		y, err := stats.NewNumeric("Reaction", truth.Simulate(seed), nil)
		if err != nil {
			t.Fatal(err)
		}
		f2, err := f.With(y)
		if err != nil {
			t.Fatal(err)
		}
		m := mustFit(t, "Reaction ~ Days + (Days | Subject)", f2, nil)
		for name, method := range map[string]func() ([]Test, error){"Satterthwaite": m.Satterthwaite, "Kenward-Roger": m.KenwardRoger} {
			tests, err := method()
			if err != nil {
				hits[name+" failed"]++
				continue
			}
			for j, c := range tests {
				q := distuv.StudentsT{Sigma: 1, Nu: c.DF}.Quantile(0.975)
				if math.Abs(c.Estimate-truth.Fixed[j].Estimate) < q*c.SE {
					hits[name+" "+c.Name]++
				}
			}
		}
		if seed%10 == 0 {
			ps, err := m.Profile(t.Context(), 0.95)
			if err != nil {
				hits["profile failed"]++
				continue
			}
			for j, v := range []float64{truth.Components[0].SDCor, truth.Components[2].SDCor, truth.Components[1].SDCor, truth.Sigma} {
				if ps[j].Lower <= v && v <= ps[j].Upper {
					hits["profile "+ps[j].Name]++
				}
			}
		}
	}
	for _, name := range []string{"Satterthwaite (Intercept)", "Satterthwaite Days", "Kenward-Roger (Intercept)", "Kenward-Roger Days"} {
		share := float64(hits[name]) / draws
		t.Logf("%s: %.4f of %d", name, share, draws)
		if math.Abs(share-0.95) > 3*math.Sqrt(0.95*0.05/draws) {
			t.Errorf("%s covers %.4f", name, share)
		}
	}
	t.Log(hits)
}
