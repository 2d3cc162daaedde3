// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

const closed = 1e-6 // relative, for closed forms

func TestGoldenICC(t *testing.T) {
	t.Parallel()
	g := openGolden(t, "psy_01_shrout_fleiss_icc")
	d, _ := goldenTable(t, "psy_01_shrout_fleiss_icc")
	r, err := ICC(d.X, .95)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range r.Forms {
		at := func(s string) string { return fmt.Sprintf("%s/%d", s, i) }
		g.text(at("type"), f.Type)
		g.num(at("ICC"), f.ICC, closed)
		g.num(at("F"), f.F, closed)
		g.num(at("df1"), f.DF1, closed)
		g.num(at("df2"), f.DF2, closed)
		g.num(at("p"), f.P, closed)
		g.num(at("lower"), f.CI[0], closed)
		g.num(at("upper"), f.CI[1], closed)
	}
	g.done()
}

func compareAlpha(g *golden, path string, x mat.Matrix) {
	a, err := Alpha(x, .95)
	if err != nil {
		g.t.Fatal(err)
	}
	g.num(path+"/raw_alpha", a.Raw, closed)
	g.num(path+"/std_alpha", a.Standardised, closed)
	g.num(path+"/G6", a.G6, closed)
	g.num(path+"/average_r", a.AverageR, closed)
	g.num(path+"/ase", a.SE, closed)
	g.nums(path+"/feldt_ci", a.CI[:], closed)
	for i, item := range a.Items {
		at := func(s string) string { return fmt.Sprintf("%s/%s/%d", path, s, i) }
		g.num(at("alpha_drop"), item.AlphaDrop, closed)
		g.num(at("r_drop"), item.RDrop, closed)
		g.num(at("item_mean"), item.Mean, closed)
		g.num(at("item_sd"), item.SD, closed)
	}
}

func TestGoldenChange(t *testing.T) {
	t.Parallel()
	g := openGolden(t, "psy_04_rci_controlcharts")
	d, _ := goldenTable(t, "psy_04_rci_controlcharts")
	x := column(d, "score")
	r, err := NewReliableChange(7.5, .88)
	if err != nil {
		t.Fatal(err)
	}
	g.num("SEM", r.SEM, closed)
	g.num("Sdiff", r.Sdiff, closed)
	g.num("RCI", r.RCI(x[0], x[14]), closed)
	g.num("SDC95", r.Smallest(1.96), closed)
	c, err := Norms{ClinicalMean: 30, ClinicalSD: 7.5, GeneralMean: 8, GeneralSD: 6}.Cutoffs()
	if err != nil {
		t.Fatal(err)
	}
	g.num("cut_a", c.A, closed)
	g.num("cut_b", c.B, closed)
	g.num("cut_c", c.C, closed)
	chart, err := Individuals(x)
	if err != nil {
		t.Fatal(err)
	}
	g.num("I_center", chart.Centre, closed)
	g.num("MRbar", chart.MeanRange, closed)
	g.num("I_ucl", chart.Upper, closed)
	g.num("I_lcl", chart.Lower, closed)
	g.num("MR_ucl", chart.RangeUpper, closed)
	g.num("sigma_mr", chart.Sigma, closed)
	e, err := EWMA(x, chart.Centre, chart.Sigma, .2, 3)
	if err != nil {
		t.Fatal(err)
	}
	g.nums("ewma_lambda02", e.Z, closed)
	g.done()
}

func compareCoefficients(g *golden, path string, cs []Coefficient) {
	for i, c := range cs {
		row := fmt.Sprintf("%s/values/%d", path, i)
		g.nums(row, []float64{c.Estimate, c.SE, c.T, c.P}, closed)
	}
	g.skip(path+"/rows", "names of R's terms")
	g.skip(path+"/cols", "names of R's columns")
}

func TestGoldenTruthBias(t *testing.T) {
	t.Parallel()
	g := openGolden(t, "dyad_02_truth_bias")
	d, _ := goldenTable(t, "dyad_02_truth_bias")
	j, tr, m := column(d, "judge"), column(d, "truth"), column(d, "moderator")
	// The case keeps the rows in which all three are present.
	for i := range j {
		if math.IsNaN(m[i]) {
			j[i] = math.NaN()
		}
	}
	r, err := TruthBias(j, tr, nil, .95)
	if err != nil {
		t.Fatal(err)
	}
	g.num("mean_truth", r.MeanTruth, closed)
	g.num("directional_bias", r.DirectionalBias, closed)
	g.num("accuracy_force", r.Truth, closed)
	g.num("sigma", r.Sigma, closed)
	g.num("r2", r.R2, closed)
	g.num("r_dyad", r.R, closed)
	g.num("mean_diff_t", r.PairedT, closed)
	compareCoefficients(g, "coef", r.Coefficients)
	r, err = TruthBias(j, tr, m, .95)
	if err != nil {
		t.Fatal(err)
	}
	compareCoefficients(g, "moderated", r.Coefficients)
	g.done()
}
