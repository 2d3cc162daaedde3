// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"encoding/xml"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type written struct {
	Class  string  `xml:"class,attr"`
	X      float64 `xml:"x,attr"`
	Y      float64 `xml:"y,attr"`
	Anchor string  `xml:"text-anchor,attr"`
	Text   string  `xml:",chardata"`
}

// box is where the letters stand: left, top, right, bottom.
func (w written) box() [4]float64 {
	size := small
	if strings.HasPrefix(w.Class, "end ") && w.Class != "end therapist" && w.Class != "end cutlabel" {
		size = large
	}
	wide := extent(w.Text, size)
	left := w.X
	switch w.Anchor {
	case "middle":
		left -= wide / 2
	case "end":
		left -= wide
	}
	return [4]float64{left, w.Y - .75*size, left + wide, w.Y + .2*size}
}

func randomCourse(t *rapid.T) Course {
	n := rapid.IntRange(1, 70).Draw(t, "sessions")
	words := rapid.SampledFrom([]string{"", "a", "open", "Goals", "repair agreed", "Obiettivi del lavoro insieme", "WWWWWWWW MMMM", "目標と課題"})
	c := Course{ID: "c", Min: 1, Max: rapid.SampledFrom([]float64{5, 7, 100, 1}).Draw(t, "max"), Width: Width(rapid.IntRange(0, 1).Draw(t, "width")), Height: rapid.SampledFrom([]int{0, 40, 180}).Draw(t, "height")}
	for range n {
		c.Ticks = append(c.Ticks, words.Draw(t, "tick"))
	}
	value := rapid.SampledFrom([]float64{math.NaN(), 1, 1.2, 3, 3, 4.4, 5, 120})
	for range rapid.IntRange(1, 9).Draw(t, "lines") {
		l := Line{Name: words.Draw(t, "name"), Mark: rapid.SampledFrom([]Mark{Bond, Goals, Therapist}).Draw(t, "mark")}
		for range n {
			l.Values = append(l.Values, value.Draw(t, "value"))
		}
		c.Lines = append(c.Lines, l)
	}
	for range rapid.IntRange(0, 4).Draw(t, "more") {
		c.Notes = append(c.Notes, Note{rapid.IntRange(-1, n).Draw(t, "at"), words.Draw(t, "note")})
		c.Bands = append(c.Bands, Band{rapid.IntRange(-1, n).Draw(t, "from"), rapid.IntRange(-1, n).Draw(t, "to"), words.Draw(t, "band")})
		c.Thresholds = append(c.Thresholds, Threshold{value.Draw(t, "cut"), words.Draw(t, "cutoff")})
	}
	return c
}

// No two texts of a picture touch and none leaves it, whatever it shows.
func TestTextsNeverOverlap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := randomCourse(t)
		f := c.frame()
		var svg struct {
			Texts []written `xml:"text"`
		}
		if err := xml.Unmarshal([]byte(c.SVG()), &svg); err != nil {
			t.Fatal(err)
		}
		for i, w := range svg.Texts {
			a := w.box()
			if a[0] < -1 || a[1] < -1 || a[2] > f.w+1 || a[3] > f.h+1 {
				t.Fatalf("%q (%s) leaves the picture: %v of %v by %v", w.Text, w.Class, a, f.w, f.h)
			}
			for _, other := range svg.Texts[:i] {
				b := other.box()
				if a[0] < b[2]-.2 && b[0] < a[2]-.2 && a[1] < b[3]-.2 && b[1] < a[3]-.2 {
					t.Fatalf("%q (%s) %v and %q (%s) %v overlap", w.Text, w.Class, a, other.Text, other.Class, b)
				}
			}
		}
	})
}

// Every line with a value is named at its end, with that value.
func TestEndLabels(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	c := Course{ID: "c", Ticks: sessions(3), Min: 1, Max: 5, Width: Narrow, Lines: []Line{
		{Name: "Goals", Mark: Goals, Values: []float64{2, 3, nan}}, {Name: "Bond", Mark: Bond, Values: []float64{nan, nan, nan}},
		{Name: "A name that is much too long for a phone", Mark: Tasks, Values: []float64{4, 4, 4.25}}}}
	svg := string(c.SVG())
	for _, want := range []string{">Goals 3.0<", "… 4.2<title>A name that is much too long for a phone 4.2</title>", `class="leader"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in %s", want, svg)
		}
	}
	if strings.Contains(svg, ">Bond") {
		t.Error("a line without a value is named")
	}
}
