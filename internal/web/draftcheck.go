// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// soundDraft is a draft of which a form can be made, or the way to the editor,
// which names what is wrong.
func (c *call) soundDraft() (app.Draft, error) {
	d, err := c.app().Draft(c.r.Context(), c.by, c.id())
	if err == nil && d.Ready == nil {
		err = goTo(draftPath(d.ID) + "?named=1")
	}
	return d, err
}

// previewView is the form as whoever answers will see it.
type previewView struct {
	formModel
	Back  string
	Sheet string // the style of a client's form, in daylight, in the dark or as the device has it
	Wide  bool
	Ways  [][]previewWay // by what they change
}

// previewWay is a link to the same form seen in another way.
type previewWay struct {
	Label, Href string
	Here        bool
}

// sheets are the styles of a client's form by the name in the address.
var sheets = map[string]string{"": "inside.css", "dark": "inside-dark.css", "light": "inside-light.css"}

func previewDraft(c *call) error {
	d, err := c.soundDraft()
	if err != nil {
		return err
	}
	q := c.r.URL.Query()
	lang, light, size, width := q.Get("lang"), q.Get("light"), q.Get("size"), q.Get("width")
	if !slices.Contains(d.Form.Languages, lang) {
		if lang = c.p.Lang(); !slices.Contains(d.Form.Languages, lang) {
			lang = d.Form.Languages[0]
		}
	}
	if sheets[light] == "" {
		light = ""
	}
	here := map[string]string{"lang": lang, "light": light, "size": size, "width": width}
	p := c.p
	if i18n.Known(lang) {
		p = i18n.For(lang)
	}
	v := previewView{formModel: newFormModel(p, app.FormView{Instrument: d.Ready, Language: lang, Of: 1, Step: 1}, nil, nil), Back: draftPath(d.ID), Sheet: sheets[light], Wide: width == "wide"}
	v.Trial = draftPath(d.ID) + "/check"
	if size == "large" {
		v.enlarge(p)
	}
	last := ""
	way := func(name, value, label string) {
		to := url.Values{}
		for k, x := range here {
			if k == name {
				x = value
			}
			if x != "" {
				to.Set(k, x)
			}
		}
		if name != last {
			v.Ways, last = append(v.Ways, nil), name
		}
		group := &v.Ways[len(v.Ways)-1]
		*group = append(*group, previewWay{label, draftPath(d.ID) + "/preview?" + to.Encode(), here[name] == value})
	}
	for n, name := range c.languagesOf(d.Form.Languages) {
		way("lang", d.Form.Languages[n], name)
	}
	for _, x := range []named{{"light", ""}, {"light", "light"}, {"light", "dark"}, {"size", ""}, {"size", "large"}, {"width", ""}, {"width", "wide"}} {
		label := x.Name + "." + x.Value
		way(x.Name, x.Value, c.p.T("draft.way."+strings.TrimSuffix(label, ".")))
	}
	return c.render(http.StatusOK, "draft-preview", v)
}

// checkView tries the scoring with example answers.
type checkView struct {
	Name, Back string
	Tries      []tryItem
	Worked     []workedScale
	Any        bool // something was answered
}

type tryItem struct {
	Number       int
	Name, Text   string
	Choices      []draftChoice // nil: too many to choose from, so it is typed
	Value, Error string
}

// workedScale is a score and how it came about.
type workedScale struct {
	Name, Score, Range, Sum string
	Lines                   []string
}

// mostChoices is how many answers a list holds.
const mostChoices = 31

func checkDraft(c *call) error {
	d, err := c.soundDraft()
	if err != nil {
		return err
	}
	f := d.Ready
	v := checkView{Name: f.Name.In(c.p.Lang()), Back: draftPath(d.ID)}
	q := c.r.URL.Query()
	answers := instrument.Answers{}
	for n, it := range f.Items {
		t := tryItem{Number: n + 1, Name: answerPrefix + it.ID, Text: it.Text.In(c.p.Lang())}
		places := it.Places()
		t.Value = strings.TrimSpace(q.Get(t.Name))
		if at, ok := map[string]int{"low": 0, "middle": (len(places) - 1) / 2, "high": len(places) - 1}[q.Get("fill")]; ok {
			t.Value = written(places[at])
		}
		if t.Value != "" {
			x, err := strconv.ParseFloat(strings.ReplaceAll(t.Value, ",", "."), 64)
			answers[it.ID] = x
			if one := (instrument.Answers{it.ID: x}); err != nil || f.Check(one) != nil {
				t.Error = c.p.T("draft.try.wrong", "Min", c.figure(it.Min), "Max", c.figure(it.Max))
				delete(answers, it.ID)
			}
		}
		t.Choices = c.tries(it, places, t.Value)
		v.Tries = append(v.Tries, t)
	}
	v.Any = len(answers) > 0
	for n, w := range f.Working(answers) {
		v.Worked = append(v.Worked, c.worked(f, f.Scales[n], w))
	}
	return c.render(http.StatusOK, "draft-check", v)
}

// tries are the answers an item can be given, the first of which is none.
func (c *call) tries(it instrument.Item, places []float64, chosen string) (out []draftChoice) {
	if len(places)+len(it.Options) > mostChoices {
		return nil
	}
	out = []draftChoice{{"", c.p.T("draft.try.none"), chosen == ""}}
	if it.Display == instrument.Line {
		for _, x := range places {
			out = append(out, draftChoice{written(x), c.figure(x), chosen == written(x)})
		}
		return out
	}
	for _, o := range it.Options {
		label := o.Label.In(c.p.Lang())
		if number := c.figure(o.Value); !o.NoAnswer && number != label {
			label = number + " – " + label
		}
		out = append(out, draftChoice{written(o.Value), label, chosen == written(o.Value)})
	}
	return out
}

// worked writes a score out as a person would on paper.
func (c *call) worked(f *instrument.Instrument, s instrument.Scale, w instrument.Working) workedScale {
	out := workedScale{Name: s.Name.In(c.p.Lang()), Score: c.p.T("draft.no_score"), Range: c.p.T("draft.work.items", "Items", numbersOf(f, s.Items), "Min", c.figure(s.Min), "Max", c.figure(s.Max))}
	var terms []string
	total, missing := 0.0, 0
	for _, t := range w.Terms {
		it, _ := f.Item(t.Item)
		number := numbersOf(f, []string{t.Item})
		if t.State != instrument.Given {
			missing++
			out.Lines = append(out.Lines, c.p.T("draft.work.missing", "N", number))
			continue
		}
		total += t.Used
		terms = append(terms, c.figure(t.Used))
		if t.Reversed {
			out.Lines = append(out.Lines, c.p.T("draft.work.reversed", "N", number, "Answer", c.figure(t.Answer), "Min", c.figure(it.Min), "Max", c.figure(it.Max), "Used", c.figure(round6(t.Used))))
		}
	}
	if !w.OK {
		if missing > 0 {
			out.Lines = append(out.Lines, c.p.N("draft.work.too_many", missing, "Allowed", s.MissingAllowed))
		}
		return out
	}
	out.Score = c.figure(round6(w.Value))
	out.Sum = strings.Join(terms, " + ") + " = " + c.figure(round6(total))
	switch {
	case s.Method == instrument.Mean:
		out.Sum = c.p.T("draft.work.mean", "Sum", out.Sum, "Total", c.figure(round6(total)), "N", len(terms), "Score", c.rounded(w.Value))
		out.Score = c.rounded(w.Value)
	case missing > 0:
		out.Sum = c.p.T("draft.work.prorated", "Sum", out.Sum, "Total", c.figure(round6(total)), "N", len(terms), "Of", len(s.Items), "Score", c.rounded(w.Value))
		out.Score = c.rounded(w.Value)
	}
	return out
}

func round6(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// rounded is a number with two decimals at most.
func (c *call) rounded(v float64) string { return c.figure(math.Round(v*100) / 100) }

// releaseView is what would be published, and what that means.
type releaseView struct {
	ID                 care.ID
	Revision, Version  int
	Name               string
	First, Keeps, Same bool
	Structure          []string
	Wording            []rewording
}

type rewording struct{ Where, Lang, From, To string }

func publishDraftPage(c *call) error {
	d, err := c.soundDraft()
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "draft-publish", c.releaseModel(d))
}

func (c *call) releaseModel(d app.Draft) releaseView {
	v := releaseView{ID: d.ID, Revision: d.Revision, Version: d.Version, Name: c.draftName(d), First: d.Before == nil, Keeps: d.Change.Keeps()}
	if v.First {
		return v
	}
	for _, x := range d.Change.Structure {
		of, number := d.Ready, ""
		if x.Aspect == instrument.ItemRemoved || x.Aspect == instrument.ScaleRemoved {
			of = d.Before
		}
		if s, ok := of.Scale(x.At); ok && strings.HasPrefix(string(x.Aspect), "scale") {
			number = s.Name.In(c.p.Lang())
		} else if x.At != "" {
			number = numbersOf(of, []string{x.At})
		}
		v.Structure = append(v.Structure, c.p.T("draft.change."+string(x.Aspect), "At", number))
	}
	for _, x := range d.Change.Wording {
		v.Wording = append(v.Wording, rewording{c.whereWording(d.Ready, x.Path) + languageIn(c, "-"+x.Lang), x.Lang, x.From, x.To})
	}
	v.Same = v.Keeps && len(v.Wording) == 0
	return v
}

// whereWording says in which part of the form a text was changed.
func (c *call) whereWording(f *instrument.Instrument, path string) string {
	parts := append(strings.Split(path, "."), "", "")
	switch parts[0] {
	case "items":
		where := c.p.T("draft.item", "N", numbersOf(f, []string{parts[1]}))
		if parts[2] != "text" {
			where += ", " + c.p.T("draft.answers")
		}
		return where
	case "scales":
		return c.p.T("draft.scales")
	case "licence":
		return c.p.T("draft.notice")
	case "comment_prompt":
		return c.p.T("draft.comment")
	}
	return c.p.T("draft." + parts[0])
}

func publishDraft(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	revision, _ := strconv.Atoi(c.r.PostForm.Get("revision"))
	version, _ := strconv.Atoi(c.r.PostForm.Get("version"))
	f, err := c.app().PublishDraft(c.r.Context(), c.by, c.id(), revision, version)
	switch care.CodeOf(err) {
	case "":
		return c.redirect("/library/" + f.ID)
	case care.Conflict: // look once more: something else would be published
		d, lookErr := c.soundDraft()
		if lookErr != nil {
			return lookErr
		}
		return c.refuse(http.StatusConflict, "draft-publish", c.releaseModel(d), err)
	case care.Invalid:
		if d, lookErr := c.soundDraft(); lookErr == nil {
			return c.refuse(http.StatusUnprocessableEntity, "draft-publish", c.releaseModel(d), err)
		}
		return c.redirect(draftPath(c.id()) + "?named=1")
	}
	return err
}
