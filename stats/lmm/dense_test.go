// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/entente-project/entente/stats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// invented makes a table of n sessions: persons p, therapists h (each person has
// one, but some sessions another's), an arm, two predictors and weights.
func invented(t testing.TB, n, persons, therapists int, seed uint64) *stats.Frame {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 99))
	cols := map[string][]float64{"y": nil, "x": nil, "z": nil, "w": nil, "p": nil, "h": nil, "t": nil}
	arms := []string{}
	u, s, v := make([]float64, persons), make([]float64, persons), make([]float64, therapists)
	for i := range u {
		u[i], s[i] = r.NormFloat64(), 0.4*r.NormFloat64()
	}
	for i := range v {
		v[i] = 0.7 * r.NormFloat64()
	}
	for i := range n {
		p := i % persons
		h := p % therapists
		if r.Float64() < 0.2 {
			h = r.IntN(therapists)
		}
		x, z, w := r.NormFloat64()+3, r.Float64()*4, 0.5+2*r.Float64()
		arm := []string{"a", "b", "c"}[p%3]
		y := 2 + u[p] + (0.5+s[p])*x - 0.2*z + v[h] + r.NormFloat64()/math.Sqrt(w)
		for name, value := range map[string]float64{"y": y, "x": x, "z": z, "w": w, "p": float64(p), "h": float64(h), "t": float64(i / persons)} {
			cols[name] = append(cols[name], value)
		}
		arms = append(arms, arm)
	}
	columns := []*stats.Column{stats.NewFactor("arm", arms, nil)}
	for _, name := range []string{"y", "x", "z", "w", "p", "h", "t"} {
		c, err := stats.NewNumeric(name, cols[name], nil)
		if err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	f, err := stats.NewFrame(columns...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// dense is a model computed from its covariance matrix, as a textbook does.
type dense struct {
	g    []*mat.Dense // covariance of the effects by term
	v    *mat.Dense   // covariance of the response
	inv  *mat.Dense
	beta *mat.VecDense
	cov  *mat.Dense
	e    *mat.VecDense // y - X beta
	x    *mat.Dense
	crit float64
}

// factorsOf takes the covariance of the effects of each term out of Theta.
func factorsOf(m *Model) []*mat.Dense {
	var out []*mat.Dense
	at := 0
	for _, e := range m.Effects {
		q := len(e.Names)
		l := mat.NewDense(q, q, nil)
		for j := range q {
			for i := j; i < q; i++ {
				l.Set(i, j, m.Sigma*m.Theta[at].Value)
				at++
			}
		}
		g := mat.NewDense(q, q, nil)
		g.Mul(l, l.T())
		out = append(out, g)
	}
	return out
}

// covaries is the covariance of two rows by the effects of one term.
func covaries(g *mat.Dense, a, b []float64) float64 {
	s := 0.0
	for i, x := range a {
		for j, y := range b {
			s += x * y * g.At(i, j)
		}
	}
	return s
}

func newDense(m *Model) *dense {
	n, p := m.N, len(m.Fixed)
	d := &dense{g: factorsOf(m), v: mat.NewDense(n, n, nil), x: mat.NewDense(n, p, slices.Clone(m.x.Data))}
	for i := range n {
		for k := range n {
			s := 0.0
			for t, from := range m.order {
				r := m.design.Random[from]
				if r.Codes[i] == r.Codes[k] {
					s += covaries(d.g[t], r.Z.Row(i), r.Z.Row(k))
				}
			}
			if i == k {
				w := 1.0
				if m.w != nil {
					w = m.w[i]
				}
				s += m.Sigma * m.Sigma / w
			}
			d.v.Set(i, k, s)
		}
	}
	d.inv = mat.NewDense(n, n, nil)
	if err := d.inv.Inverse(d.v); err != nil {
		panic(err)
	}
	var xv, info mat.Dense
	xv.Mul(d.x.T(), d.inv)
	info.Mul(&xv, d.x)
	d.cov = mat.NewDense(p, p, nil)
	if err := d.cov.Inverse(&info); err != nil {
		panic(err)
	}
	y := mat.NewVecDense(n, slices.Clone(m.y))
	var xy, fitted mat.VecDense
	xy.MulVec(&xv, y)
	d.beta = mat.NewVecDense(p, nil)
	d.beta.MulVec(d.cov, &xy)
	fitted.MulVec(d.x, d.beta)
	d.e = mat.NewVecDense(n, nil)
	d.e.SubVec(y, &fitted)
	logV, _ := mat.LogDet(d.v)
	logX, _ := mat.LogDet(&info)
	d.crit = logV + mat.Inner(d.e, d.inv, d.e)
	nu := float64(n)
	if m.REML {
		d.crit += logX
		nu -= float64(p)
	}
	d.crit += nu * math.Log(2*math.Pi)
	return d
}

// predict is the best linear unbiased prediction of a row given as x and, by term,
// z and group.
func (d *dense) predict(m *Model, x []float64, z [][]float64, code []int32) (mean, se float64) {
	c := mat.NewVecDense(m.N, nil)
	own := 0.0
	for t, from := range m.order {
		own += covaries(d.g[t], z[t], z[t])
		r := m.design.Random[from]
		for i := range m.N {
			if r.Codes[i] == code[t] {
				c.SetVec(i, c.AtVec(i)+covaries(d.g[t], z[t], r.Z.Row(i)))
			}
		}
	}
	var vc, xvc mat.VecDense
	vc.MulVec(d.inv, c)
	xvc.MulVec(d.x.T(), &vc)
	rest := mat.NewVecDense(len(x), slices.Clone(x))
	mean = mat.Dot(rest, d.beta) + mat.Dot(&vc, d.e)
	rest.SubVec(rest, &xvc)
	return mean, math.Sqrt(own - mat.Dot(c, &vc) + mat.Inner(rest, d.cov, rest))
}

// conditional is the variance of z'b of one group given the data and beta.
func (d *dense) conditional(m *Model, term int, group int32, z []float64) float64 {
	c := mat.NewVecDense(m.N, nil)
	r := m.design.Random[m.order[term]]
	for i := range m.N {
		if r.Codes[i] == group {
			c.SetVec(i, covaries(d.g[term], z, r.Z.Row(i)))
		}
	}
	return covaries(d.g[term], z, z) - mat.Inner(c, d.inv, c)
}

// models are the shapes the tests below go through.
var models = []string{
	"y ~ x + arm + (1 | p)",
	"y ~ x * z + (x | p)",
	"y ~ x + (x + z | p)",
	"y ~ x + (x || p)",
	"y ~ x + (1 | p) + (1 | h)",
	"y ~ x * arm + (x | p) + (1 | h)",
	"y ~ x + (1 | h/p)",
	"y ~ x + (x || p) + (0 + z | h) + (1 | arm)",
}

// TestAgainstDense computes each kind of model again from its covariance matrix.
func TestAgainstDense(t *testing.T) {
	t.Parallel()
	for i, formula := range models {
		for _, o := range []Options{{}, {ML: true}, {Weights: "w"}} {
			f := invented(t, 84, 14, 5, uint64(i))
			m := mustFit(t, formula, f, &o)
			d := newDense(m)
			check := func(what string, got, want, tol float64) {
				t.Helper()
				if !(math.Abs(got-want) <= tol*(1+math.Abs(want))) {
					t.Errorf("%s %+v: %s %.12g, want %.12g", formula, o, what, got, want)
				}
			}
			check("criterion", m.Criterion, d.crit, 1e-10)
			if !m.State.Converged || m.State.Gradient > 1e-4 {
				t.Errorf("%s: %+v", formula, m.State)
			}
			for j := range m.Fixed {
				check("beta", m.Fixed[j].Estimate, d.beta.AtVec(j), 1e-9)
				for k := range m.Fixed {
					check("vcov", m.VCov.At(j, k), d.cov.At(j, k), 1e-9)
				}
			}
			for term, e := range m.Effects {
				q := len(e.Names)
				for g := range e.Levels {
					for j := range q {
						z := make([][]float64, len(m.Effects))
						code := make([]int32, len(m.Effects))
						for k := range z {
							z[k], code[k] = make([]float64, len(m.Effects[k].Names)), -1
						}
						z[term][j], code[term] = 1, int32(g)
						mean, _ := d.predict(m, make([]float64, len(m.Fixed)), z, code)
						check("mode", e.Modes[g][j], mean, 1e-9)
						check("its variance", e.Variance[g].At(j, j), d.conditional(m, term, int32(g), z[term]), 1e-8)
					}
				}
			}
		}
	}
}

// TestPredictAgainstDense predicts for known, half known and new groups.
func TestPredictAgainstDense(t *testing.T) {
	t.Parallel()
	for i, formula := range models {
		f := invented(t, 84, 14, 5, uint64(i))
		m := mustFit(t, formula, f, nil)
		d := newDense(m)
		news := invented(t, 30, 17, 7, 1000+uint64(i)) // persons 14.. and therapists 5.. are new
		nd, err := m.design.Apply(news)
		if err != nil {
			t.Fatal(err)
		}
		ps, err := m.Predict(news, PredictOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for row, p := range ps {
			var z [][]float64
			var code []int32
			for _, from := range m.order {
				z, code = append(z, nd.Random[from].Z.Row(row)), append(code, nd.Random[from].Codes[row])
			}
			mean, se := d.predict(m, nd.X.Row(row), z, code)
			if math.Abs(p.Mean-mean) > 1e-8 || math.Abs(p.SE-se) > 1e-8 || math.Abs(p.NewSE-math.Hypot(se, m.Sigma)) > 1e-8 {
				t.Errorf("%s, row %d: mean %v se %v %v, want %v %v", formula, row, p.Mean, p.SE, p.NewSE, mean, se)
			}
			if p.Known != !slices.Contains(code, -1) {
				t.Errorf("%s, row %d: known %v", formula, row, p.Known)
			}
		}
	}
}

// TestGradient holds the gradients of both engines against differences, at points
// away from the optimum.
func TestGradient(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		formula := rapid.SampledFrom(models).Draw(rt, "formula")
		ml := rapid.Bool().Draw(rt, "ml")
		m := mustFit(t, formula, invented(t, 60, 12, 5, 3), &Options{ML: ml})
		x := make([]float64, m.pr.thetas())
		for i := range x {
			x[i] = rapid.Float64Range(-1.5, 1.5).Draw(rt, "theta")
		}
		f := m.pr.objective()
		v, g := f(x, true)
		if again, _ := f(x, false); math.Abs(again-v) > 1e-10*math.Abs(v) {
			rt.Fatalf("%v with and %v without a gradient", v, again)
		}
		for i := range x {
			if d := differentiate(f, x, i); math.Abs(d-g[i]) > 1e-6*(1+math.Abs(g[i])) {
				rt.Fatalf("%s at %v: derivative %d is %v, by differences %v", formula, x, i, g[i], d)
			}
		}
	})
}

// TestInvariants shifts, scales and reorders the data.
func TestInvariants(t *testing.T) {
	t.Parallel()
	for i, formula := range models {
		f := invented(t, 84, 14, 5, uint64(i))
		m := mustFit(t, formula, f, nil)
		y, _ := f.Column("y")
		changed := y.Floats()
		for k := range changed {
			changed[k] = 1e4 * (changed[k] + 1e3)
		}
		c, err := stats.NewNumeric("y", changed, nil)
		if err != nil {
			t.Fatal(err)
		}
		f2, err := f.With(c)
		if err != nil {
			t.Fatal(err)
		}
		order := rand.New(rand.NewPCG(5, uint64(i))).Perm(f.Rows())
		m2 := mustFit(t, formula, f2.Take(order), nil)
		nu := float64(m.N - len(m.Fixed))
		if d := m2.Criterion - m.Criterion - 2*nu*math.Log(1e4); math.Abs(d) > 1e-7 {
			t.Errorf("%s: the criterion is off by %v", formula, d)
		}
		for j := range m.Fixed {
			want := 1e4 * m.Fixed[j].Estimate
			if j == 0 {
				want += 1e7
			}
			if math.Abs(m2.Fixed[j].Estimate-want) > 1e-5*(1+math.Abs(want)) || math.Abs(m2.Fixed[j].SE/m.Fixed[j].SE/1e4-1) > 1e-5 {
				t.Errorf("%s: %+v after scaling %+v", formula, m.Fixed[j], m2.Fixed[j])
			}
		}
		for k := range m.Theta {
			if math.Abs(m.Theta[k].Value-m2.Theta[k].Value) > 1e-5 {
				t.Errorf("%s: %+v after scaling %+v", formula, m.Theta[k], m2.Theta[k])
			}
		}
	}
}
