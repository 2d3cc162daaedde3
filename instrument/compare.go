// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"slices"
	"strings"
	"unicode"
)

// Comparison is what is different between two versions of a form.
type Comparison struct {
	// Structure are differences after which scores of the two cannot be read as
	// one course; Wording are texts that were corrected or translated.
	Structure []Difference
	Wording   []Rewording
}

// Keeps reports whether a course goes on over the change.
func (c Comparison) Keeps() bool { return len(c.Structure) == 0 }

// Aspect is in what respect two versions differ.
type Aspect string

// The aspects. At in a Difference is an item for those that begin with item, and
// a scale for those that begin with scale.
const (
	FormInformant  Aspect = "informant"
	FormKind       Aspect = "kind"
	FormPeriod     Aspect = "period"
	FormIntro      Aspect = "intro" // another instruction, not a correction of it
	ItemAdded      Aspect = "item_added"
	ItemRemoved    Aspect = "item_removed"
	ItemOrder      Aspect = "item_order"
	ItemAnswers    Aspect = "item_answers" // values, range, or how they are drawn
	ItemTension    Aspect = "item_tension"
	ItemReworded   Aspect = "item_reworded" // another question, not a correction of it
	ItemLabels     Aspect = "item_labels"   // another word for an answer, not a correction
	ScaleAdded     Aspect = "scale_added"
	ScaleRemoved   Aspect = "scale_removed"
	ScaleItems     Aspect = "scale_items"
	ScaleReversed  Aspect = "scale_reversed"
	ScaleRule      Aspect = "scale_rule" // method, what may be missing, range, what a high score means
	ScaleDimension Aspect = "scale_dimension"
)

// Difference is one difference of structure, at an item or a scale ("" for the
// form).
type Difference struct {
	Aspect Aspect
	At     string
}

// Rewording is a text that differs in one language; From is empty for a language
// that was added. Path names the text as in [Problem].
type Rewording struct {
	Path, Lang, From, To string
}

// Compare tells a correction of wording from a change of structure, from an older
// version to a newer one. The same items in the same order with the same values,
// the same scales and the same way of scoring are the same structure; name,
// title, ages, licence, languages and the place for a comment do not matter to
// it. A text counts as corrected while most of it stays: an item of which more
// than half was rewritten asks something else, whatever its author calls it.
func Compare(older, newer *Instrument) Comparison {
	c := &comparer{}
	c.differs(older.Informant != newer.Informant, FormInformant, "")
	c.differs(older.Kind != newer.Kind || older.Predicts != newer.Predicts, FormKind, "")
	c.differs(older.Period != newer.Period, FormPeriod, "")
	c.text("name", older.Name, newer.Name)
	c.text("title", older.Title, newer.Title)
	c.differs(c.text("intro", older.Intro, newer.Intro), FormIntro, "")
	c.items(older, newer)
	c.text("comment_prompt", older.CommentPrompt, newer.CommentPrompt)
	c.text("licence.notice", older.Licence.Notice, newer.Licence.Notice)
	c.scales(older, newer)
	return c.Comparison
}

// SameCourse reports whether scores of two versions of a form stand in one course.
func SameCourse(a, b *Instrument) bool {
	return a == b || a.ID == b.ID && (a.Version == b.Version || Compare(a, b).Keeps())
}

type comparer struct{ Comparison }

func (c *comparer) differs(really bool, a Aspect, at string) {
	if really {
		c.Structure = append(c.Structure, Difference{a, at})
	}
}

// text notes each language in which a text differs; true if it says something
// else in one that both have.
func (c *comparer) text(path string, older, newer Text) (other bool) {
	for _, lang := range newer.languages() {
		from, to := older[lang], newer[lang]
		if from == to {
			continue
		}
		c.Wording = append(c.Wording, Rewording{path, lang, from, to})
		other = other || from != "" && rewritten(from, to)
	}
	return other
}

func (c *comparer) items(older, newer *Instrument) {
	var was, is []string
	for _, it := range older.Items {
		if _, ok := newer.Item(it.ID); ok {
			was = append(was, it.ID)
		} else {
			c.differs(true, ItemRemoved, it.ID)
		}
	}
	for _, it := range newer.Items {
		old, ok := older.Item(it.ID)
		if !ok {
			c.differs(true, ItemAdded, it.ID)
			continue
		}
		is = append(is, it.ID)
		c.item(old, it)
	}
	c.differs(!slices.Equal(was, is), ItemOrder, "")
}

func (c *comparer) item(older, newer Item) {
	path := "items." + newer.ID
	c.differs(c.text(path+".text", older.Text, newer.Text), ItemReworded, newer.ID)
	c.differs(older.Tension != newer.Tension, ItemTension, newer.ID)
	if older.Display != newer.Display || older.Min != newer.Min || older.Max != newer.Max || older.Step != newer.Step ||
		!slices.EqualFunc(older.Options, newer.Options, func(a, b Option) bool { return a.Value == b.Value && a.NoAnswer == b.NoAnswer }) {
		c.differs(true, ItemAnswers, newer.ID)
		return
	}
	low, high := c.text(path+".low", older.Low, newer.Low), c.text(path+".high", older.High, newer.High)
	other := low || high
	for n, o := range newer.Options {
		other = c.text(path+".options", older.Options[n].Label, o.Label) || other
	}
	c.differs(other, ItemLabels, newer.ID)
}

func (c *comparer) scales(older, newer *Instrument) {
	for _, s := range older.Scales {
		if _, ok := newer.Scale(s.ID); !ok {
			c.differs(true, ScaleRemoved, s.ID)
		}
	}
	for _, s := range newer.Scales {
		old, ok := older.Scale(s.ID)
		if !ok {
			c.differs(true, ScaleAdded, s.ID)
			continue
		}
		c.text("scales."+s.ID+".name", old.Name, s.Name)
		c.differs(old.Dimension != s.Dimension, ScaleDimension, s.ID)
		c.differs(!sameSet(old.Items, s.Items) || !slices.Equal(old.Parts, s.Parts), ScaleItems, s.ID)
		c.differs(!sameSet(old.Reversed, s.Reversed), ScaleReversed, s.ID)
		c.differs(old.Method != s.Method || times(old) != times(s) || old.Rounded != s.Rounded || old.MissingAllowed != s.MissingAllowed ||
			old.Min != s.Min || old.Max != s.Max || old.HigherIsBetter != s.HigherIsBetter, ScaleRule, s.ID)
	}
}

// times is the factor of a scale, of which 0 is another way to write 1.
func times(s Scale) float64 {
	if s.Times == 0 {
		return 1
	}
	return s.Times
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// rewritten reports whether more than half of a text is other letters: the
// distance of Levenshtein (1966) over letters and digits alone, so that
// punctuation, blanks and capitals never count. Texts too long to be compared
// so are compared by their words.
func rewritten(from, to string) bool {
	if len(from) > maxCompared || len(to) > maxCompared {
		return distance(strings.Fields(strings.ToLower(from)), strings.Fields(strings.ToLower(to))) > .5
	}
	return distance(letters(from), letters(to)) > .5
}

const maxCompared = 500

func letters(s string) []rune {
	return []rune(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s))
}

// distance is how much of the longer one was replaced, 0 to 1.
func distance[T comparable](a, b []T) float64 {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		before := row[0]
		row[0] = i + 1
		for j := range b {
			cost := before
			if a[i] != b[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	if longest := max(len(a), len(b)); longest > 0 {
		return float64(row[len(b)]) / float64(longest)
	}
	return 0
}
