// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Draft is a form being written: what its file will hold, with everything kept
// as it was typed, right or wrong. Form makes an instrument of it and names what
// is wrong. Items of a scale are named by their place, as people count them.
type Draft struct {
	Kind      Kind      `json:"kind"`
	Informant Informant `json:"informant"`
	Ages      []AgeBand `json:"ages"`
	Settings  []Setting `json:"settings,omitempty"`
	Period    string    `json:"period"`
	Predicts  string    `json:"predicts,omitempty"`
	// HigherIsBetter is of the whole form; a scale may say otherwise.
	HigherIsBetter bool `json:"higher_is_better"`
	Validated      bool `json:"validated,omitempty"`
	// Languages are those that are declared; texts in others are kept, too.
	Languages []string `json:"languages"`
	Name      Text     `json:"name"`
	Title     Text     `json:"title"`
	Intro     Text     `json:"intro"`
	Comment   Text     `json:"comment,omitempty"`
	SPDX      string   `json:"spdx"`
	Holder    string   `json:"holder"`
	Notice    Text     `json:"notice"`
	// Answers are those of every item that has none of its own.
	Answers DraftAnswers `json:"answers"`
	Items   []DraftItem  `json:"items"`
	Scales  []DraftScale `json:"scales"`
}

// DraftAnswers is how an item is answered; numbers as typed.
type DraftAnswers struct {
	Display Display       `json:"display"`
	Min     string        `json:"min,omitempty"`
	Max     string        `json:"max,omitempty"`
	Step    string        `json:"step,omitempty"`
	Low     Text          `json:"low,omitempty"`
	High    Text          `json:"high,omitempty"`
	Options []DraftOption `json:"options,omitempty"`
}

// DraftOption is one choice; its number as typed.
type DraftOption struct {
	Value    string `json:"value"`
	Label    Text   `json:"label"`
	NoAnswer bool   `json:"no_answer,omitempty"`
}

// DraftItem is one item. Reversed is for every scale that holds it.
type DraftItem struct {
	ID       string        `json:"id"`
	Text     Text          `json:"text"`
	Reversed bool          `json:"reversed,omitempty"`
	Tension  bool          `json:"tension,omitempty"`
	Drawing  Drawing       `json:"drawing,omitempty"`
	Own      *DraftAnswers `json:"own,omitempty"`
}

// DraftScale is one scale. Items is as typed: places and runs of them, as
// "1-5, 8", or "*" for all but those on tension.
type DraftScale struct {
	ID        string    `json:"id"`
	Name      Text      `json:"name"`
	Dimension Dimension `json:"dimension"`
	Items     string    `json:"items"`
	Method    Method    `json:"method"`
	Missing   string    `json:"missing"`
	// These are kept from the form that the draft was made of.
	Min            *float64     `json:"min,omitempty"`
	Max            *float64     `json:"max,omitempty"`
	HigherIsBetter *bool        `json:"higher_is_better,omitempty"`
	Reliability    *Reliability `json:"reliability,omitempty"`
	Cutoff         *Cutoff      `json:"cutoff,omitempty"`
}

// EveryItem stands in DraftScale.Items for all items but those on tension.
const EveryItem = "*"

// ErrNotDraft says that a form is scored in a way that a draft cannot hold: by
// other scales, with a factor, or with an item reversed in one scale and not in
// another.
var ErrNotDraft = errors.New("instrument: scored in a way that a draft cannot hold")

// DraftOf is the draft that makes f again: Form of it is f. The error is
// ErrNotDraft.
func DraftOf(f *Instrument) (Draft, error) {
	d := Draft{
		Kind: f.Kind, Informant: f.Informant, Ages: slices.Clone(f.Ages), Settings: slices.Clone(f.Settings), Period: f.Period, Predicts: f.Predicts, HigherIsBetter: f.HigherIsBetter, Validated: f.Validated,
		Languages: f.Languages(), Name: maps.Clone(f.Name), Title: maps.Clone(f.Title), Intro: maps.Clone(f.Intro), Comment: maps.Clone(f.CommentPrompt),
		SPDX: f.Licence.SPDX, Holder: f.Licence.Holder, Notice: maps.Clone(f.Licence.Notice),
	}
	for _, it := range f.Items {
		a := answersOf(it)
		x := DraftItem{ID: it.ID, Text: maps.Clone(it.Text), Tension: it.Tension, Drawing: it.Drawing, Own: &a}
		in := 0
		for _, s := range f.Scales {
			switch reversed := slices.Contains(s.Reversed, it.ID); {
			case !slices.Contains(s.Items, it.ID):
			case in > 0 && reversed != x.Reversed:
				return Draft{}, ErrNotDraft
			default:
				x.Reversed, in = reversed, in+1
			}
		}
		d.Items = append(d.Items, x)
	}
	d.share()
	for _, s := range f.Scales {
		if len(s.Parts) > 0 || s.Rounded || times(s) != 1 {
			return Draft{}, ErrNotDraft
		}
		x := DraftScale{ID: s.ID, Name: maps.Clone(s.Name), Dimension: s.Dimension, Items: d.Numbers(s.Items), Method: s.Method, Missing: strconv.Itoa(s.MissingAllowed), Reliability: s.Reliability, Cutoff: s.Cutoff}
		if s.HigherIsBetter != f.HigherIsBetter {
			x.HigherIsBetter = &s.HigherIsBetter
		}
		if low, high, _ := f.bounds(s); s.Min != low || s.Max != high {
			x.Min, x.Max = &s.Min, &s.Max
		}
		d.Scales = append(d.Scales, x)
	}
	return d, nil
}

func answersOf(it Item) DraftAnswers {
	a := DraftAnswers{Display: it.Display}
	if it.Display == Line {
		a.Min, a.Max, a.Step, a.Low, a.High = number(it.Min), number(it.Max), number(it.Step), maps.Clone(it.Low), maps.Clone(it.High)
		return a
	}
	for _, o := range it.Options {
		a.Options = append(a.Options, DraftOption{Value: number(o.Value), Label: maps.Clone(o.Label), NoAnswer: o.NoAnswer})
	}
	return a
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// share makes the answers that most items have those of the form.
func (d *Draft) share() {
	most := 0
	for _, x := range d.Items {
		n := 0
		for _, y := range d.Items {
			if x.Own.same(*y.Own) {
				n++
			}
		}
		if n > most {
			most, d.Answers = n, *x.Own
		}
	}
	for i := range d.Items {
		if d.Items[i].Own.same(d.Answers) {
			d.Items[i].Own = nil
		}
	}
}

func (a DraftAnswers) same(b DraftAnswers) bool {
	return a.Display == b.Display && a.Min == b.Min && a.Max == b.Max && a.Step == b.Step && maps.Equal(a.Low, b.Low) && maps.Equal(a.High, b.High) &&
		slices.EqualFunc(a.Options, b.Options, func(x, y DraftOption) bool {
			return x.Value == y.Value && x.NoAnswer == y.NoAnswer && maps.Equal(x.Label, y.Label)
		})
}

// Numbers writes items by their places, with runs drawn together: "1-4, 7".
func (d Draft) Numbers(ids []string) string {
	var at []int
	for n, it := range d.Items {
		if slices.Contains(ids, it.ID) {
			at = append(at, n+1)
		}
	}
	var out []string
	for i := 0; i < len(at); {
		end := i
		for end+1 < len(at) && at[end+1] == at[end]+1 {
			end++
		}
		text := strconv.Itoa(at[i])
		if end > i {
			text += "-" + strconv.Itoa(at[end])
		}
		out = append(out, text)
		i = end + 1
	}
	return strings.Join(out, ", ")
}

// ItemsOf reads which items a scale names, in the order of the form; false if
// its text holds anything but places of the form's items, runs of them and "*".
func (d Draft) ItemsOf(s DraftScale) (ids []string, ok bool) {
	in := make([]bool, len(d.Items))
	// Dashes as word processors write them, and blanks around them.
	text := strings.NewReplacer("–", "-", "—", "-", " -", "-", "- ", "-").Replace(s.Items)
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" ,;\t\r\n", r) }) {
		if part == EveryItem {
			for n := range in {
				in[n] = in[n] || !d.Items[n].Tension
			}
			continue
		}
		low, high, run := strings.Cut(part, "-")
		from, err := strconv.Atoi(low)
		to, toErr := from, error(nil)
		if run {
			to, toErr = strconv.Atoi(high)
		}
		if err != nil || toErr != nil || from < 1 || to < from || to > len(in) {
			return nil, false
		}
		for n := from; n <= to; n++ {
			in[n-1] = true
		}
	}
	for n, there := range in {
		if there {
			ids = append(ids, d.Items[n].ID)
		}
	}
	return ids, true
}
