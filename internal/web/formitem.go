// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// formItem is one question as the template "items" draws it.
type formItem struct {
	ID, Name, Text, Error string
	Onward                *nextItem // stands alone on the screen, and can be read aloud
	Line                  bool      // an unmarked line; otherwise a row of buttons
	Low, High             string
	Points                []formPoint
	Sheet                 template.HTML // the pictures of a row, with the first item that has them
}

// nextItem is where an item leads that has the screen for itself.
type nextItem struct{ Place, To string }

// formPoint is one place on a line, or one button. On a line Label is for those
// who hear the page: the line itself shows no number.
type formPoint struct {
	Value, Label string
	Drawing      string // the name of a picture above the label, "" for none
	Chosen       bool
}

// answerPrefix keeps the names of items apart from the form's other fields.
const answerPrefix = "a-"

// formItems makes the questions of an instrument ready to be drawn in lang.
// chosen is what was sent before, nil at first; wrong has a message by item id.
func formItems(p *i18n.Printer, in *instrument.Instrument, lang string, chosen url.Values, wrong map[string]string) []formItem {
	out := make([]formItem, 0, len(in.Items))
	sheets := map[instrument.Drawing]bool{"": true}
	for _, it := range in.Items {
		f := formItem{ID: it.ID, Name: answerPrefix + it.ID, Text: it.Text.In(lang), Error: wrong[it.ID], Line: it.Display == instrument.Line}
		if f.Line {
			f.Low, f.High = it.Low.In(lang), it.High.In(lang)
			f.Points = linePoints(p, it, f.Low, f.High)
		} else {
			numbers := len(it.Options)
			for _, o := range it.Options {
				if o.NoAnswer {
					numbers--
				}
			}
			if !sheets[it.Drawing] {
				sheets[it.Drawing], f.Sheet = true, sheet(it.Drawing)
			}
			n := 0
			for _, o := range it.Options {
				x := formPoint{Value: written(o.Value), Label: o.Label.In(lang)}
				if it.Drawing != "" && !o.NoAnswer {
					x.Drawing, n = stage(it.Drawing, n, numbers), n+1
				}
				f.Points = append(f.Points, x)
			}
		}
		for i := range f.Points {
			f.Points[i].Chosen = chosen.Has(f.Name) && chosen.Get(f.Name) == f.Points[i].Value
		}
		out = append(out, f)
	}
	return out
}

// mostPoints is how many places fit on a narrow phone with each still wide
// enough for a finger (WCAG 2.2, 2.5.8: 24 px).
const mostPoints = 13

// linePoints are the places of a line: every step, or eleven of them, ends
// included, when there are too many to be touched.
func linePoints(p *i18n.Printer, it instrument.Item, low, high string) []formPoint {
	step := it.Step
	if step <= 0 {
		step = (it.Max - it.Min) / 10
	}
	steps := int(math.Round((it.Max - it.Min) / step))
	places := steps
	if steps+1 > mostPoints {
		places = 10
	}
	decimals := 0
	if step != math.Trunc(step) || it.Min != math.Trunc(it.Min) {
		decimals = 1
	}
	out := make([]formPoint, 0, places+1)
	for j := range places + 1 {
		// Rounded, because steps such as .1 add up to almost a number only.
		v := math.Round((it.Min+math.Round(float64(j*steps)/float64(places))*step)*1e6) / 1e6
		label := p.T("form.point", "Value", p.Number(v, decimals), "Max", p.Number(it.Max, decimals))
		switch j {
		case 0:
			label += ", " + low
		case places:
			label += ", " + high
		}
		out = append(out, formPoint{Value: written(v), Label: label})
	}
	return out
}

func written(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// submissionOf reads a posted form. It refuses nothing: an answer that is no
// number becomes NaN, which the use case refuses with the item's name.
func submissionOf(form url.Values, lang string) app.Submission {
	id, version, _ := strings.Cut(form.Get("form"), "@")
	number, _ := strconv.Atoi(version) // 0 is no version of any form
	s := app.Submission{
		ID: care.ID(form.Get("submission")), Instrument: id, Version: number, Language: lang,
		Answers: instrument.Answers{}, Comment: strings.ReplaceAll(form.Get("comment"), "\r\n", "\n"),
		Beside: form.Get("beside") != "",
	}
	for name, values := range form {
		item, ok := strings.CutPrefix(name, answerPrefix)
		if !ok || len(values) == 0 || values[0] == "" {
			continue
		}
		v, err := strconv.ParseFloat(values[0], 64)
		if err != nil {
			v = math.NaN()
		}
		s.Answers[item] = v
	}
	return s
}
