// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// drawData draws studies with variances over four orders of magnitude.
func drawData(t *rapid.T, least int) Data {
	k := rapid.IntRange(least, 40).Draw(t, "k")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	tau := rapid.SampledFrom([]float64{0, 0.1, 1, 10}).Draw(t, "tau")
	d := Data{Y: make([]float64, k), V: make([]float64, k)}
	for i := range k {
		d.V[i] = math.Exp(rng.NormFloat64()*2 - 2)
		d.Y[i] = 0.5 + rng.NormFloat64()*math.Sqrt(d.V[i]+tau*tau)
	}
	for m := range rapid.IntRange(0, 2).Draw(t, "moderators") {
		x := make([]float64, k)
		for i := range x {
			x[i] = 10 + rng.NormFloat64()
		}
		d.Moderators = append(d.Moderators, Moderator{"x" + strconv.Itoa(m), x})
	}
	return d
}

func drawMethod(t *rapid.T) Method { return rapid.SampledFrom(Methods()).Draw(t, "method") }

// alike is relative to scale.
func alike(a, b, scale, tol float64) bool {
	return math.Abs(a-b) <= tol*max(math.Abs(a), math.Abs(b), scale)
}

// TestInvariance: other units, another zero of a moderator, another order of
// the studies and turned signs change the table as they should and nothing else.
func TestInvariance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t, 5)
		o := Options{Method: drawMethod(t), Test: rapid.SampledFrom([]Test{Z, T, KnappHartung, KnappHartungTruncated}).Draw(t, "test")}
		r := must(Fit(d, o))
		c := rapid.SampledFrom([]float64{-3, 0.01, 1e6, 1e-140}).Draw(t, "units")
		other := Data{}
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 2)).Perm(len(d.Y))
		for _, i := range order {
			other.Y, other.V = append(other.Y, c*d.Y[i]), append(other.V, c*c*d.V[i])
		}
		for _, m := range d.Moderators {
			n := Moderator{Name: m.Name}
			for _, i := range order {
				n.Values = append(n.Values, 1000+m.Values[i])
			}
			other.Moderators = append(other.Moderators, n)
		}
		s := must(Fit(other, o))
		if !alike(s.Tau2, c*c*r.Tau2, c*c*r.TypicalV, 1e-7) {
			t.Fatalf("tau² %v in other units, want %v", s.Tau2, c*c*r.Tau2)
		}
		for i := range r.Coefficients {
			a, b := r.Coefficients[i], s.Coefficients[i]
			if i > 0 && !alike(b.Estimate, c*a.Estimate, math.Abs(c)*a.SE, 1e-6) {
				t.Fatalf("coefficient %d is %v, want %v", i, b.Estimate, c*a.Estimate)
			}
			if i > 0 && !alike(b.P, a.P, 1e-3, 1e-5) {
				t.Fatalf("p of %d is %v, want %v", i, b.P, a.P)
			}
		}
		if !alike(s.QE.Stat, r.QE.Stat, 1, 1e-8) || !alike(s.I2, r.I2, 1e-3, 1e-6) {
			t.Fatalf("QE %v and %v, I² %v and %v", s.QE.Stat, r.QE.Stat, s.I2, r.I2)
		}
	})
}

// TestPauleMandelIsEmpiricalBayes and solves its equation.
func TestPauleMandelIsEmpiricalBayes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t, 5)
		pm, eb := must(Fit(d, Options{Method: PM})), must(Fit(d, Options{Method: EB}))
		if pm.Tau2 != eb.Tau2 {
			t.Fatalf("PM %v, EB %v", pm.Tau2, eb.Tau2)
		}
		df := float64(pm.K - pm.P)
		if pm.Tau2 > 0 && math.Abs(pm.at.rss-df) > 1e-9*df {
			t.Fatalf("Q at tau² is %v, want %v", pm.at.rss, df)
		}
	})
}

// TestNothingIsHigher: no tau² on a fine grid has a higher likelihood than the
// estimate by ML or REML.
func TestNothingIsHigher(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t, 4)
		m := rapid.SampledFrom([]Method{ML, REML}).Draw(t, "method")
		r := must(Fit(d, Options{Method: m}))
		for e := -12.0; e < 8; e += 0.25 {
			tau2 := math.Exp(e)
			if l := must(Fit(d, Options{Method: m, Tau2: &tau2})).LogLik; l > r.LogLik+1e-9*math.Abs(l) {
				t.Fatalf("log-likelihood %v at tau² %v, %v at the estimate %v", l, tau2, r.LogLik, r.Tau2)
			}
		}
	})
}

// TestScoreAgainstDifferences of the log-likelihood, and the slope against
// differences of the score.
func TestScoreAgainstDifferences(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := newSample(drawData(t, 5))
		if err != nil {
			t.Fatal(err)
		}
		tau2 := math.Exp(rapid.Float64Range(-4, 4).Draw(t, "log tau²"))
		h := 1e-4 * tau2
		for _, restricted := range []bool{true, false} {
			score, slope := s.at(tau2).score(restricted)
			up, down := s.at(tau2+h), s.at(tau2-h)
			byValue := (s.logLik(up, restricted) - s.logLik(down, restricted)) / h
			if !alike(score, byValue, 1e-3/tau2, 1e-4) {
				t.Fatalf("score %v, by differences %v", score, byValue)
			}
			upScore, _ := up.score(restricted)
			downScore, _ := down.score(restricted)
			if byScore := (upScore - downScore) / (2 * h); !alike(slope, byScore, 1e-3/(tau2*tau2), 1e-4) {
				t.Fatalf("slope %v, by differences %v", slope, byScore)
			}
		}
	})
}

// drawLevels draws three levels, the last of rows, and correlated errors.
func drawLevels(t *rapid.T) MultilevelData {
	d := MultilevelData{Data: drawData(t, 12), Levels: []Level{{Name: "a"}, {Name: "b"}, {Name: "row"}}}
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "groups"), 3))
	for i := range d.Y {
		a := rng.IntN(4)
		if i < 2 {
			a = i // at least two groups
		}
		d.Levels[0].Group = append(d.Levels[0].Group, strconv.Itoa(a))
		d.Levels[1].Group = append(d.Levels[1].Group, strconv.Itoa(rng.IntN(2)))
		d.Levels[2].Group = append(d.Levels[2].Group, strconv.Itoa(i))
	}
	switch rapid.IntRange(0, 3).Draw(t, "correlated") {
	case 1:
		d.Correlated = &Correlated{Within: "a", Rho: rapid.Float64Range(0, 0.95).Draw(t, "rho")}
	case 2:
		d.Correlated = &Correlated{Within: "b", Rho: rapid.Float64Range(0, 0.95).Draw(t, "rho")}
	case 3:
		v := d.V
		d.Correlated = &Correlated{Within: "b", Covariance: func(i, j int) float64 {
			return math.Sqrt(v[i]*v[j]) * math.Pow(0.7, math.Abs(float64(i-j)))
		}}
	}
	return d
}

// TestTreeAgainstDenseMatrices compares the walk up the tree with the textbook
// formulas on the whole covariance matrix, and its derivatives with differences.
func TestTreeAgainstDenseMatrices(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawLevels(t)
		f, parts, err := newForest(d)
		if err != nil {
			t.Skip(err)
		}
		x := make([]float64, 3)
		for i := range x {
			x[i] = math.Exp(rapid.Float64Range(-4, 2).Draw(t, "log sigma²"))
		}
		all := []bool{true, true, true}
		l, ok := f.solve(f.walk(place(nil, all, x, false), newJets(0)))
		if !ok {
			t.Fatal("not positive definite")
		}
		logDet, logDetM, rss := dense(d, f, parts, x)
		if !alike(l.logDetV[0], logDet, 1, 1e-9) || !alike(l.logDetM[0], logDetM, 1, 1e-8) || !alike(l.rss[0], rss, 1, 1e-8) {
			t.Fatalf("log|M| %v want %v, log|Q'M^-1 Q| %v want %v, RSS %v want %v", l.logDetV[0], logDet, l.logDetM[0], logDetM, l.rss[0], rss)
		}
		checkDerivatives(t, f.objective(rapid.Bool().Draw(t, "REML"), make([]bool, 3), x), x)
	})
}

// dense computes with k x k matrices.
func dense(d MultilevelData, f *forest, parts []partition, sigma2 []float64) (logDet, logDetM, rss float64) {
	rows := make([]int, f.k)
	for i := range rows {
		rows[i] = i
	}
	r := &MultilevelResult{f: f, parts: parts, data: d, sigma2: sigma2}
	var cholesky mat.Cholesky
	cholesky.Factorize(r.covariance(rows))
	q := mat.NewDense(f.k, f.p, f.q)
	y := mat.NewVecDense(f.k, scaled(d.Y, f.shift))
	var wq, a mat.Dense
	var wy, b, gamma mat.VecDense
	if cholesky.SolveTo(&wq, q) != nil || cholesky.SolveVecTo(&wy, y) != nil {
		panic("singular")
	}
	a.Mul(q.T(), &wq)
	b.MulVec(q.T(), &wy)
	if gamma.SolveVec(&a, &b) != nil {
		panic("singular")
	}
	det, _ := mat.LogDet(&a)
	return cholesky.LogDet(), det, mat.Dot(y, &wy) - mat.Dot(&b, &gamma)
}

// checkDerivatives compares gradient and Hessian with differences.
func checkDerivatives(t *rapid.T, f objective, x []float64) {
	n := len(x)
	_, gradient, hessian, ok := f(x, 2)
	if !ok {
		t.Fatal("not defined")
	}
	for i := range n {
		h := 1e-4 * max(math.Abs(x[i]), 1e-2)
		up, down := append([]float64(nil), x...), append([]float64(nil), x...)
		up[i], down[i] = x[i]+h, x[i]-h
		a, ga, _, _ := f(up, 2)
		b, gb, _, _ := f(down, 2)
		if byValue := (a - b) / (2 * h); !alike(gradient[i], byValue, 1, 1e-4) {
			t.Fatalf("derivative %d is %v, by differences %v", i, gradient[i], byValue)
		}
		for j := range n {
			if by := (ga[j] - gb[j]) / (2 * h); !alike(hessian[i*n+j], by, 1+math.Abs(gradient[j]), 1e-3) {
				t.Fatalf("second derivative %d, %d is %v, by differences %v", i, j, hessian[i*n+j], by)
			}
		}
	}
}

func TestSelectionDerivatives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := newSample(drawData(t, 10))
		if err != nil {
			t.Fatal(err)
		}
		m := &stepModel{s: s, sign: rapid.SampledFrom([]float64{1, -1}).Draw(t, "sign"), crit: []float64{oneSided(0.025), oneSided(0.5)}, step: make([]int, s.k)}
		for i := range m.step {
			m.step[i] = i % 3
		}
		m.natural = rapid.Bool().Draw(t, "natural")
		x := make([]float64, s.p+3)
		for i := range x {
			x[i] = rapid.Float64Range(0.2, 1).Draw(t, "x")
		}
		checkDerivatives(t, m.logLik, x)
	})
}

// TestOneLevelIsFit: a multilevel model with a level of rows alone is the model
// with one variance, by another engine.
func TestOneLevelIsFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t, 6)
		rows := make([]string, len(d.Y))
		for i := range rows {
			rows[i] = strconv.Itoa(i)
		}
		o := Options{Method: rapid.SampledFrom([]Method{ML, REML}).Draw(t, "method")}
		a, b := must(Fit(d, o)), must(FitMultilevel(MultilevelData{Data: d, Levels: []Level{{Name: "row", Group: rows}}}, o))
		if !alike(a.LogLik, b.LogLik, 1, 1e-9) || !alike(a.Tau2, b.Components[0].Sigma2, a.TypicalV, 1e-5) || !alike(a.QE.Stat, b.QE.Stat, 1, 1e-8) {
			t.Fatalf("log-likelihood %v and %v, tau² %v and %v, QE %v and %v", a.LogLik, b.LogLik, a.Tau2, b.Components[0].Sigma2, a.QE.Stat, b.QE.Stat)
		}
		if !alike(a.TypicalV, b.TypicalV, 0, 1e-8) {
			t.Fatalf("typical variance %v and %v", a.TypicalV, b.TypicalV)
		}
	})
}

// TestLiveIsFit: adding study by study gives what fitting at once gives.
func TestLiveIsFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t, 3)
		o := Options{Method: drawMethod(t)}
		empty := Data{}
		for _, m := range d.Moderators {
			empty.Moderators = append(empty.Moderators, Moderator{Name: m.Name})
		}
		l := must(NewLive(empty, o))
		for i := range d.Y {
			x := d.row(i)[1:]
			if _, err := l.Add(Effect{math.NaN(), 1}, x...); err == nil {
				t.Fatal("a study that is not a number was taken")
			}
			r, err := l.Add(Effect{d.Y[i], d.V[i]}, x...)
			if i < len(d.Moderators) {
				if err == nil {
					t.Fatal("fewer studies than coefficients, without a complaint")
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			so := make([]int, i+1)
			for j := range so {
				so[j] = j
			}
			want := must(Fit(d.rows(so), o))
			if !alike(r.Tau2, want.Tau2, want.TypicalV, 1e-8) || !alike(r.Coefficients[0].Estimate, want.Coefficients[0].Estimate, want.Coefficients[0].SE, 1e-8) || r.K != want.K {
				t.Fatalf("after %d: tau² %v, want %v", i+1, r.Tau2, want.Tau2)
			}
		}
	})
}
