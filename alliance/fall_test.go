// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

var somePopulation = Population{Level: 7, LevelSD: 1.3, Growth: .3, GrowthSD: .3, Together: -.2, Within: .9, WithinLogSD: .35, Auto: .2}

// direct is Fall by the formulas as they stand: densities of whole multivariate
// normals, by gonum's Cholesky.
func direct(t *testing.T, d *Detector, sessions []int, steps, y []float64) Fall {
	t.Helper()
	n := len(y)
	density := func(sigma float64, upto int, shift []float64) float64 {
		c, r := mat.NewSymDense(upto, nil), mat.NewVecDense(upto, nil)
		for i := range upto {
			x := math.Log(float64(sessions[i]))
			r.SetVec(i, y[i]-d.pop.Level-d.pop.Growth*x-shift[i])
			for j := range i + 1 {
				z := math.Log(float64(sessions[j]))
				c.SetSym(i, j, d.pop.LevelSD*d.pop.LevelSD+d.pop.Together*d.pop.LevelSD*d.pop.GrowthSD*(x+z)+d.pop.GrowthSD*d.pop.GrowthSD*x*z+sigma*sigma*math.Pow(d.pop.Auto, steps[i]-steps[j]))
			}
		}
		var l mat.Cholesky
		if !l.Factorize(c) {
			t.Fatal("not positive definite")
		}
		var s mat.VecDense
		if err := l.SolveVecTo(&s, r); err != nil {
			t.Fatal(err)
		}
		return math.Exp(-.5*mat.Dot(r, &s) - .5*l.LogDet())
	}
	none := make([]float64, n)
	var with, without float64
	for k, sigma := range d.sigma {
		w := math.Exp(d.weight[k])
		without += w * density(sigma, n, none)
		for _, s := range d.shapes {
			if len(s.at) >= n {
				continue
			}
			for _, size := range d.sizes {
				shift := make([]float64, n)
				for i, v := range s.at {
					shift[n-1-i] = -v * size * d.unit
				}
				with += w * math.Exp(s.log) / float64(len(d.sizes)) * density(sigma, n, shift)
			}
		}
	}
	return Fall{N: n, Odds: math.Log(with / without), Probability: hazard * with / (hazard*with + (1-hazard)*without)}
}

// TestFallByFormula: the recursion over the sessions gives what the whole
// densities give, with gaps and uneven intervals too.
func TestFallByFormula(t *testing.T) {
	t.Parallel()
	d, err := NewDetector(somePopulation)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		sessions []int
		steps, y []float64
	}{
		"each week":    {[]int{1, 2, 3, 4, 5, 6}, []float64{0, 1, 2, 3, 4, 5}, []float64{7, 7.4, 7.1, 7.9, 7.6, 5}},
		"gaps":         {[]int{1, 3, 4, 8}, []float64{0, 2, 3, 7}, []float64{6, 7.5, 7.1, 6.9}},
		"uneven weeks": {[]int{1, 2, 3, 4, 5}, []float64{0, .5, 3, 3.2, 9}, []float64{9, 8.5, 9.1, 6, 6.2}},
		"two":          {[]int{1, 2}, []float64{0, 1}, []float64{8, 4}},
	} {
		track := d.Track()
		for i := range x.y {
			got := track.Add(x.sessions[i], x.steps[i], x.y[i])
			if i == 0 {
				if !math.IsInf(got.Odds, -1) || got.Probability != 0 {
					t.Errorf("%s: one rating has fallen from nothing: %+v", name, got)
				}
				continue
			}
			want := direct(t, d, x.sessions[:i+1], x.steps[:i+1], x.y[:i+1])
			if math.Abs(got.Odds-want.Odds) > 1e-8 || math.Abs(got.Probability-want.Probability) > 1e-8 || got.N != i+1 {
				t.Errorf("%s, rating %d: %+v, not %+v", name, i+1, got, want)
			}
		}
	}
}

// TestFallForesees: the predictive distribution holds what it promises on courses
// of the population: standardised, ratings have mean 0 and SD 1.
func TestFallForesees(t *testing.T) {
	t.Parallel()
	p := somePopulation
	d, err := NewDetector(p)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var sum, square, n float64
	for range 3000 {
		z := r.NormFloat64()
		a, g := p.Level+p.LevelSD*z, p.Growth+p.GrowthSD*(p.Together*z+math.Sqrt(1-p.Together*p.Together)*r.NormFloat64())
		sd, e := p.Within*math.Exp(p.WithinLogSD*r.NormFloat64()), r.NormFloat64()
		track := d.Track()
		for s := 1; s <= 6; s++ {
			y := a + g*math.Log(float64(s)) + sd*e
			e = p.Auto*e + math.Sqrt(1-p.Auto*p.Auto)*r.NormFloat64()
			f := track.Add(s, float64(s-1), y)
			x := (y - f.Expected) / f.SD
			sum, square, n = sum+x, square+x*x, n+1
		}
	}
	if m, v := sum/n, square/n; math.Abs(m) > 4/math.Sqrt(n) || math.Abs(v-1) > .06 {
		t.Errorf("standardised ratings: mean %.3f, mean square %.3f", m, v)
	}
}

// TestFallUnits: the unit and the zero of a form change nothing.
func TestFallUnits(t *testing.T) {
	t.Parallel()
	y := []float64{7, 7.4, 7.1, 7.9, 5, 5.2}
	odds := func(scale, zero float64) (out []float64) {
		p := somePopulation
		p.Level, p.LevelSD, p.Growth, p.GrowthSD, p.Within = zero+scale*p.Level, scale*p.LevelSD, scale*p.Growth, scale*p.GrowthSD, scale*p.Within
		d, err := NewDetector(p)
		if err != nil {
			t.Fatal(err)
		}
		track := d.Track()
		for i, v := range y {
			out = append(out, track.Add(i+1, float64(i), zero+scale*v).Odds)
		}
		return out[1:]
	}
	a, b := odds(1, 0), odds(10, -3)
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-7 {
			t.Errorf("rating %d: %v, on another scale %v", i+2, a[i], b[i])
		}
	}
	if !(a[3] > 1 && a[2] < 0) {
		t.Errorf("a fall of two points after 7, 7.4, 7.1, 7.9 weighs %v, the rise before it %v", a[3], a[2])
	}
}

// TestPopulationRecovered: from many courses the population comes out as it went
// in; from none, or all alike, an error.
func TestPopulationRecovered(t *testing.T) {
	t.Parallel()
	p := somePopulation
	r := rand.New(rand.NewPCG(3, 4))
	var courses [][]float64
	for range 2000 {
		z := r.NormFloat64()
		a, g := p.Level+p.LevelSD*z, p.Growth+p.GrowthSD*(p.Together*z+math.Sqrt(1-p.Together*p.Together)*r.NormFloat64())
		sd, e := p.Within*math.Exp(p.WithinLogSD*r.NormFloat64()), r.NormFloat64()
		var y []float64
		for s := 1; s <= 16; s++ {
			v := a + g*math.Log(float64(s)) + sd*e
			e = p.Auto*e + math.Sqrt(1-p.Auto*p.Auto)*r.NormFloat64()
			if s > 1 && r.Float64() < .1 {
				v = math.NaN()
			}
			y = append(y, v)
		}
		courses = append(courses, y)
	}
	got, err := EstimatePopulation(courses)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what            string
		got, want, near float64
	}{
		{"level", got.Level, p.Level, .12}, {"its SD", got.LevelSD, p.LevelSD, .12}, {"growth", got.Growth, p.Growth, .06}, {"its SD", got.GrowthSD, p.GrowthSD, .08},
		{"within", got.Within, p.Within, .06}, {"its spread", got.WithinLogSD, p.WithinLogSD, .05}, {"autocorrelation", got.Auto, p.Auto, .06},
	} {
		if math.Abs(x.got-x.want) > x.near {
			t.Errorf("%s: %.3f, not %.3f", x.what, x.got, x.want)
		}
	}
	for name, bad := range map[string][][]float64{"none": nil, "short": {{1, 2, 3}}, "all alike": {{5, 5, 5, 5}, {5, 5, 5, 5}, {6, 6, 6, 6}, {5, 5, 5, 5}, {5, 5, 5, 5}, {5, 5, 5, 5}, {5, 5, 5, 5}, {5, 5, 5, 5}}} {
		if _, err := EstimatePopulation(bad); !errors.Is(err, ErrFewCourses) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewDetector(Population{}); err == nil {
		t.Error("a population in which nobody varies")
	}
}

// FuzzFall: no rating makes a figure that is not a number.
func FuzzFall(f *testing.F) {
	f.Add(7., 7.4, 1., 1.)
	f.Add(10., 10., 10., 0.)
	f.Add(-1e9, 1e9, 0., 1e6)
	d, err := NewDetector(somePopulation)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b, c, gap float64) {
		if !(math.Abs(a) <= 1e9 && math.Abs(b) <= 1e9 && math.Abs(c) <= 1e9 && gap >= 0 && gap <= 1e9) {
			t.Skip()
		}
		track := d.Track()
		for i, y := range []float64{a, b, c} {
			got := track.Add(i+1, gap*float64(i), y)
			if math.IsNaN(got.Odds) || math.IsNaN(got.Probability) || math.IsNaN(got.Expected) || !(got.SD > 0) || got.Probability < 0 || got.Probability > 1 {
				t.Errorf("%v %v %v, gap %v: %+v", a, b, c, gap, got)
			}
		}
	})
}

// TestPublishedRules: each by hand.
func TestPublishedRules(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	p := Population{Level: 7, LevelSD: 2}
	for _, x := range []struct {
		rule string
		y    []float64
		want float64
	}{
		{"raw fall", []float64{8, nan, 5}, 3}, {"raw fall", []float64{8}, cannot}, {"raw fall", []float64{8, 5, nan}, cannot},
		{"cutoff", []float64{8, 5}, 2}, {"reliable change", []float64{8, 9, 5}, 3},
		{"criterion", []float64{8, 8, 5}, 1.5},                                    // own SD 1.73, between people 2: the stricter
		{"criterion", []float64{9, 1, 9, 1}, 8 / math.Sqrt(64./3)},                // own SD 4.62
		{"individuals chart", []float64{8, 8, 8, 4}, 3 / (4. / 3 / 1.128)},        // mean 7, moving range 4/3
		{"running baseline", []float64{7, 9, 7, 9, 4}, 4 / math.Sqrt(4./3)},       // mean 8
		{"Western Electric", []float64{8, 8, 8, 8, 5, 5}, 2 / (.6 / 1.128) * 1.5}, // mean 7; two of three at z beyond 2
		{"EWMA", []float64{7, 9, 8, 4}, .3 * (4 * math.Sqrt(.75)) / math.Sqrt(.3/1.7*(1-math.Pow(.7, 4)))},
		{"CUSUM", []float64{7, 9, 8, 4}, 4*math.Sqrt(.75) - .5},
		{"sudden loss", []float64{7, 8, 9, 4, 4}, 4 / (3.182 * math.Sqrt(2./3))},
		{"individuals chart", []float64{8, 8, 8, 8}, 0},
	} {
		for _, r := range PublishedRules() {
			if r.Name != x.rule {
				continue
			}
			if got := r.Of(x.y, p); got != x.want && !(math.Abs(got-x.want) < 1e-12) {
				t.Errorf("%s of %v: %v, not %v", x.rule, x.y, got, x.want)
			}
		}
	}
}
