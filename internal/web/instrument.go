// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// instrumentView is what is known of one instrument.
type instrumentView struct {
	libraryRow
	Facts        []named // what it is, in a table of two columns
	NotValidated bool
	Scales       []scaleView
	Figures      []figureView // published about a scale
	Risk         []string
	Terms        *termsView // of a published instrument
	Versions     []string
	ToCheck      []string // what nobody should rely on before it was looked up
	Notes        []string
	Sources      []string
	Grants       grantsView
	OwnFigures   bool // that there is a page on the practice's own clients
	Adapt, Next  bool // what this reader may write on from here
	Words        bool // this reader may bring its words
}

type named struct{ Name, Value string }

type scaleView struct{ Name, Items, Reversed, Rule, Missing, Range string }

// figureView is one published figure with what it belongs to; Check says why it
// is to be looked up first, empty for one that was.
type figureView struct{ Scale, What, Value, Sample, Check string }

type termsView struct{ Class, Text, Languages string }

func instrumentPage(c *call) error {
	e, err := c.app().LibraryInstrument(c.r.Context(), c.by, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	v := c.instrumentModel(e)
	v.OwnFigures = e.Form() != nil && c.seesFigures()
	if v.Grants, err = c.grants(e); err != nil {
		return err
	}
	c.writable(&v, e)
	v.Words = v.Grants.Shown && e.Key != nil && e.Key.Form != nil
	return c.render(http.StatusOK, "instrument", v)
}

// writable says what a manager may write on: the next version of a published form
// of the practice's, and a form of its own out of one of ours or of its own work.
func (c *call) writable(v *instrumentView, e app.LibraryEntry) {
	if c.by.Has(care.Manager) {
		v.Adapt = e.Ours || v.Grants.Own && e.Key == nil
		v.Next = !e.Ours && e.Key == nil && (e.State == app.Ready || e.State == app.PermissionNeeded)
	}
}

func (c *call) instrumentModel(e app.LibraryEntry) instrumentView {
	v := instrumentView{libraryRow: libraryRow{ID: e.ID, Name: e.Name.In(c.p.Lang()), About: c.aboutInstrument(e), State: e.State, Says: c.stateSays(e)}}
	f := e.Form()
	if f != nil {
		for _, s := range f.Scales {
			v.Scales = append(v.Scales, c.scaleView(f, s))
		}
		v.NotValidated = len(e.Forms) > 0 && !f.Validated
	}
	for _, x := range e.Forms {
		v.Versions = append(v.Versions, c.p.T("library.version", "N", x.Version, "Languages", c.p.List(c.languagesOf(x.Languages()))))
	}
	if len(e.Forms) > 0 {
		l := f.Licence
		v.Facts = append(v.Facts, named{c.p.T("library.licence"), strings.Trim(l.SPDX+", "+l.Holder, ", ")})
	}
	if k := e.Key; k != nil {
		c.addKey(&v, k)
	}
	return v
}

// languagesOf are languages by their names, one the program does not speak by
// its tag.
func (c *call) languagesOf(tags []string) (out []string) {
	for _, tag := range tags {
		if key := "language." + tag; c.p.Has(key) {
			tag = c.p.T(key)
		}
		out = append(out, tag)
	}
	return out
}

// addKey adds what was published, with how far each thing was checked.
func (c *call) addKey(v *instrumentView, k *instrument.Key) {
	for _, x := range []named{{"library.ages", k.Ages}, {"library.period", k.Period}, {"library.method", k.Method}} {
		if x.Value != "" {
			v.Facts = append(v.Facts, named{c.p.T(x.Name), x.Value})
		}
	}
	if k.Form != nil {
		for _, s := range k.Form.Scales {
			v.Figures = append(v.Figures, c.figures(s.Name.In(c.p.Lang()), k.Figures[s.ID])...)
		}
	}
	for _, r := range k.Risk {
		v.Risk = append(v.Risk, c.p.T("library.risk_item", "Items", c.p.List(r.Items), "From", c.figure(r.From)))
	}
	v.Terms = &termsView{Class: c.p.T("library.terms." + strings.ReplaceAll(k.Terms.Class, " ", "_")), Text: k.Terms.Text, Languages: k.Terms.Languages}
	for _, f := range k.ToCheck() {
		v.ToCheck = append(v.ToCheck, strings.TrimSuffix(f.What+": "+f.Note, ": ")+" ("+c.p.T("library.mark."+string(f.Mark))+")")
	}
	v.Notes, v.Sources = k.Notes, k.Sources
}

func (c *call) scaleView(f *instrument.Instrument, s instrument.Scale) scaleView {
	v := scaleView{
		Name: s.Name.In(c.p.Lang()), Items: numbersOf(f, s.Items), Reversed: numbersOf(f, s.Reversed),
		Missing: c.p.T("library.missing_none"), Range: c.p.T("library.range", "Min", c.figure(s.Min), "Max", c.figure(s.Max)),
	}
	if s.MissingAllowed > 0 {
		v.Missing = c.p.N("library.missing", s.MissingAllowed)
	}
	if s.HigherIsBetter {
		v.Range += ", " + c.p.T("axis.higher")
	} else {
		v.Range += ", " + c.p.T("axis.lower")
	}
	if len(s.Parts) > 0 {
		v.Missing = c.p.T("library.missing_parts")
		v.Rule = c.p.T("library.parts", "Scales", c.partsOf(f, s))
		return v
	}
	v.Rule = c.p.T("library.rule." + string(s.Method))
	if s.Times != 0 && s.Times != 1 {
		v.Rule += " × " + c.figure(s.Times)
	}
	if s.Rounded {
		v.Rule += ", " + c.p.T("library.rounded")
	}
	return v
}

func (c *call) partsOf(f *instrument.Instrument, s instrument.Scale) string {
	var parts []string
	for _, p := range s.Parts {
		name := p.Scale
		if of, ok := f.Scale(p.Scale); ok {
			name = of.Name.In(c.p.Lang())
		}
		if p.Weight != 1 {
			name = c.figure(p.Weight) + " × " + name
		}
		parts = append(parts, name)
	}
	return c.p.List(parts)
}

// numbersOf are items by their place in the form, as people count them, with
// runs drawn together: "1–4, 7".
func numbersOf(f *instrument.Instrument, ids []string) string {
	var at []int
	for _, id := range ids {
		at = append(at, 1+slices.IndexFunc(f.Items, func(i instrument.Item) bool { return i.ID == id }))
	}
	slices.Sort(at)
	var out []string
	for i := 0; i < len(at); {
		end := i
		for end+1 < len(at) && at[end+1] == at[end]+1 {
			end++
		}
		text := strconv.Itoa(at[i])
		if end > i {
			text += "–" + strconv.Itoa(at[end])
		}
		out = append(out, text)
		i = end + 1
	}
	return strings.Join(out, ", ")
}

// figure is a number with as many decimals as it was published with.
func (c *call) figure(v float64) string {
	_, decimals, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	return c.p.Number(v, len(decimals))
}

// check is why a figure is to be looked up, empty if it need not be.
func (c *call) check(m instrument.Mark) string {
	if m.Checked() {
		return ""
	}
	return c.p.T("library.mark." + string(m))
}

// figures puts what was published about one scale into rows, each with its sample.
func (c *call) figures(scale string, f instrument.Figures) (out []figureView) {
	add := func(what, value, sample string, m instrument.Mark) {
		out = append(out, figureView{Scale: scale, What: c.p.T("library.figure." + what), Value: value, Sample: sample, Check: c.check(m)})
	}
	for _, x := range f.Cutoffs {
		add("cutoff", c.p.T("library.side."+string(x.Side), "Value", c.figure(x.Value))+": "+x.Label.In(c.p.Lang()), "", x.Mark)
	}
	if len(f.Bands) > 0 {
		var bands []string
		for _, b := range f.Bands {
			bands = append(bands, c.p.T("library.from", "Value", c.figure(b.From))+" "+b.Label.In(c.p.Lang()))
		}
		add("bands", strings.Join(bands, "; "), f.BandsNote, f.BandsMark)
	}
	for _, x := range f.Change {
		value := c.figure(x.Value)
		if x.Confidence > 0 {
			value += " (" + c.p.T("library.confidence", "Percent", c.figure(x.Confidence*100)) + ")"
		}
		add("change", value, x.Sample, x.Mark)
	}
	for _, x := range f.Norms {
		add("norm", c.p.T("library.mean_sd", "Mean", c.figure(x.Mean), "SD", c.figure(x.SD)), x.Sample, x.Mark)
	}
	if r := f.Reliability; r != nil {
		add("reliability", c.figure(r.Value), r.Kind, r.Mark)
	}
	return out
}
