package psych

import "gonum.org/v1/gonum/mat"

type dwls struct{}

func (f *Fit) fitOrdered(m *Model, ys []*mat.Dense, o Options) error { return nil }
func (f *Fit) impliedThresholds(g int) [][]float64                   { return nil }
func (d *Difference) satorra2000(a, b *Fit) error { return nil }
