// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"fmt"
	"math"

	"github.com/entente-project/entente/internal/figure"
	"github.com/entente-project/entente/stats/psych"
)

// irtPictures are the curves of a graded response model over the trait.
func irtPictures(d *Document, names []string, r *psych.GradedResult) {
	d.picture("categories", func() (*figure.Canvas, error) {
		p := &figure.Facets{Title: "Chance of each answer", X: "trait", Y: "probability", Note: "Upwards the probability. Each line is an answer, named where it is most likely."}
		for i := range r.Items {
			it := &r.Items[i]
			q := figure.Facet{Name: names[i], Lines: make([][]figure.Point, len(it.Levels))}
			for _, l := range it.Levels {
				q.Names = append(q.Names, fmt.Sprintf("%g", l))
			}
			for _, theta := range traits() {
				for k, v := range it.Probabilities(theta) {
					q.Lines[k] = append(q.Lines[k], figure.Point{X: theta, Y: v})
				}
			}
			p.Panels = append(p.Panels, q)
		}
		return p.Draw(), nil
	})
	d.picture("items", func() (*figure.Canvas, error) {
		p := &figure.Facets{Title: "Information of each item", X: "trait", Y: "information", Note: "How much an answer tells about the trait, where it is."}
		for i := range r.Items {
			p.Panels = append(p.Panels, figure.Facet{Name: names[i], Lines: [][]figure.Point{over(r.Items[i].Information)}})
		}
		return p.Draw(), nil
	})
	d.picture("information", func() (*figure.Canvas, error) {
		errorAt := func(theta float64) float64 { return 1 / math.Sqrt(1+r.Information(theta)) }
		p := &figure.Facets{Title: "Information of the scale", X: "trait", Note: "The standard error is that of a score that knows the trait to be standard normal."}
		p.Panels = []figure.Facet{{Name: "Information", Lines: [][]figure.Point{over(r.Information)}}, {Name: "Standard error", Lines: [][]figure.Point{over(errorAt)}}}
		p.Own = true
		return p.Draw(), nil
	})
}

// traits are the values that curves are drawn at.
func traits() []float64 {
	var out []float64
	for i := -80; i <= 80; i++ {
		out = append(out, float64(i)/20)
	}
	return out
}

func over(f func(float64) float64) []figure.Point {
	var out []figure.Point
	for _, theta := range traits() {
		out = append(out, figure.Point{X: theta, Y: f(theta)})
	}
	return out
}
