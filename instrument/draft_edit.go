// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MostItems and MostOptions bound what a draft may hold.
const (
	MostItems   = 200
	MostOptions = 21
	MostScales  = 30
)

// NewDraft is an empty draft in some languages, with a shared scale of answers
// from 0 to 4 whose labels are the numbers.
func NewDraft(languages []string) Draft {
	d := Draft{Kind: Alliance, Informant: Client, Ages: []AgeBand{Adult}, Period: "session", HigherIsBetter: true, Languages: slices.Clone(languages), Answers: DraftAnswers{Display: Buttons}}
	d.Answers.Range(languages, 0, 4)
	return d
}

// Range makes the choices from one whole number to another, each with its number
// as its label; a label that is there for a value stays. It changes nothing for
// more than MostOptions.
func (a *DraftAnswers) Range(languages []string, from, to int) {
	if to <= from || to-from >= MostOptions {
		return
	}
	old := a.Options
	a.Options = nil
	for v := from; v <= to; v++ {
		o := DraftOption{Value: strconv.Itoa(v), Label: Text{}}
		if i := slices.IndexFunc(old, func(x DraftOption) bool { return x.Value == o.Value && !x.NoAnswer }); i >= 0 {
			maps.Copy(o.Label, old[i].Label)
		}
		for _, lang := range languages {
			if o.Label[lang] == "" {
				o.Label[lang] = o.Value
			}
		}
		a.Options = append(a.Options, o)
	}
	for _, o := range old {
		if o.NoAnswer && !slices.ContainsFunc(a.Options, func(x DraftOption) bool { return x.Value == o.Value }) {
			a.Options = append(a.Options, o)
		}
	}
}

var listMark = regexp.MustCompile(`^\s*(?:\(?\d{1,3}[.):]|[-*•])\s+`)

// Paste adds an item for each line, by language; the n-th lines of two languages
// are one item, and a list's numbers are left out. Lines of one language alone
// fill first, in order, the items without wording in it.
func (d *Draft) Paste(text Text) {
	lines := map[string][]string{}
	most := 0
	for lang, block := range text {
		for line := range strings.Lines(block) {
			if line = strings.TrimSpace(listMark.ReplaceAllString(line, "")); line != "" {
				lines[lang] = append(lines[lang], line)
			}
		}
		most = max(most, len(lines[lang]))
	}
	if len(lines) == 1 {
		for lang, all := range lines {
			for i := range d.Items {
				if len(all) > 0 && strings.TrimSpace(d.Items[i].Text[lang]) == "" {
					d.Items[i].Text[lang], all = all[0], all[1:]
				}
			}
			lines[lang], most = all, len(all)
		}
	}
	for n := 0; n < most && len(d.Items) < MostItems; n++ {
		it := DraftItem{ID: d.freeItem(), Text: Text{}}
		for lang, all := range lines {
			if n < len(all) {
				it.Text[lang] = all[n]
			}
		}
		d.Items = append(d.Items, it)
	}
}

// freeItem is an id that no item has.
func (d *Draft) freeItem() string {
	for n := len(d.Items) + 1; ; n++ {
		id := "q" + strconv.Itoa(n)
		if !slices.ContainsFunc(d.Items, func(it DraftItem) bool { return it.ID == id }) {
			return id
		}
	}
}

// Move exchanges item n with the one before it (by = -1) or after it (1); Remove
// takes it away. Scales go on naming the same items by their new places. Nothing
// happens beyond the ends.
func (d *Draft) Move(n, by int) {
	if n < 0 || n >= len(d.Items) || n+by < 0 || n+by >= len(d.Items) {
		return
	}
	d.keepScales(func() { d.Items[n], d.Items[n+by] = d.Items[n+by], d.Items[n] })
}

// Remove takes item n away; see Move.
func (d *Draft) Remove(n int) {
	if n < 0 || n >= len(d.Items) {
		return
	}
	d.keepScales(func() { d.Items = slices.Delete(slices.Clone(d.Items), n, n+1) })
}

func (d *Draft) keepScales(change func()) {
	named := make([][]string, len(d.Scales))
	known := make([]bool, len(d.Scales))
	for i, s := range d.Scales {
		named[i], known[i] = d.ItemsOf(s)
	}
	change()
	for i := range d.Scales {
		if known[i] && !strings.Contains(d.Scales[i].Items, EveryItem) {
			d.Scales[i].Items = d.Numbers(named[i])
		}
	}
}

// AddScale adds a scale of a dimension with names, for all items if it is of the
// whole.
func (d *Draft) AddScale(dimension Dimension, name Text) {
	if len(d.Scales) >= MostScales {
		return
	}
	s := DraftScale{ID: d.freeScale(string(dimension)), Name: name, Dimension: dimension, Method: Mean, Missing: "0"}
	if dimension == Whole {
		s.Items = EveryItem
	}
	d.Scales = append(d.Scales, s)
}

func (d *Draft) freeScale(id string) string {
	taken := func(id string) bool {
		return slices.ContainsFunc(d.Scales, func(s DraftScale) bool { return s.ID == id })
	}
	for n := 2; taken(id); n++ {
		id = strings.TrimRight(id, "0123456789-") + "-" + strconv.Itoa(n)
	}
	return id
}
