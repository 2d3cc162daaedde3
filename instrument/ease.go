// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"strings"
	"unicode"
)

// Ease is how easy a text is to read by the formula of its language. Grade is the
// years of school that an English text asks for, by Flesch and Kincaid (Kincaid,
// Fishburne, Rogers & Chissom 1975): .39 words a sentence + 11.8 syllables a word
// - 15.59. Gulpease is for Italian, by letters and so without syllables (Lucisano &
// Piemontese 1988): 89 + (300 sentences - 10 letters) / words, at most 100; below
// 80 it is hard for who has five years of school, below 60 for who has eight. Both
// were made for running text: of a form they are a rough measure.
type Ease struct {
	Sentences, Words, Letters, Syllables int
	Grade, Gulpease                      float64
}

// EaseOf measures a text, in which each line ends a sentence. Syllables are
// counted by English spelling. Without a word all is 0.
func EaseOf(text string) (e Ease) {
	for line := range strings.Lines(text) {
		for _, sentence := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(".!?;:", r) }) {
			words := strings.FieldsFunc(sentence, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' })
			counted := e.Words
			for _, w := range words {
				// An Italian elision is two words: l'altro. An English one is a single one: don't.
				w = strings.Trim(w, "'’")
				if w == "" {
					continue
				}
				e.Words++
				e.Syllables += syllables(w)
				for _, r := range w {
					if unicode.IsLetter(r) || unicode.IsDigit(r) {
						e.Letters++
					}
				}
			}
			if e.Words > counted {
				e.Sentences++
			}
		}
	}
	if e.Words == 0 {
		return e
	}
	w, s := float64(e.Words), float64(e.Sentences)
	e.Grade = .39*w/s + 11.8*float64(e.Syllables)/w - 15.59
	e.Gulpease = min(100, 89+(300*s-10*float64(e.Letters))/w)
	return e
}

// syllables of an English word by its spelling: groups of vowels, without a last
// e or ed that is not spoken.
func syllables(word string) (n int) {
	w := strings.ToLower(strings.NewReplacer("'", "", "’", "").Replace(word))
	before := false
	for _, r := range w {
		vowel := strings.ContainsRune("aeiouy", r)
		if vowel && !before {
			n++
		}
		before = vowel
	}
	silent := func(end string) bool {
		stem, ok := strings.CutSuffix(w, end)
		if !ok || len(stem) < 2 {
			return false
		}
		last := rune(stem[len(stem)-1])
		return !strings.ContainsRune("aeiouy", last)
	}
	switch {
	case silent("e") && !(strings.HasSuffix(w, "le") && !strings.ContainsRune("aeiouyrlw", rune(w[len(w)-3]))):
		n--
	case silent("ed") && !strings.ContainsRune("td", rune(w[len(w)-3])):
		n--
	case silent("es") && !strings.ContainsRune("scxzg", rune(w[len(w)-3])) && !strings.HasSuffix(w, "shes") && !strings.HasSuffix(w, "ches"):
		n--
	}
	if strings.HasPrefix(w, "some") && len(w) > 4 && !strings.ContainsRune("aeiouy", rune(w[4])) {
		n-- // something
	}
	if strings.HasSuffix(w, "ea") && len(w) > 3 {
		n++ // idea
	}
	for _, two := range []string{"eing", "iet", "ience", "eo", "ia", "iou", "uing", "ying"} {
		// Two vowels that are spoken apart.
		if i := strings.Index(w, two); i > 0 && !(two == "ia" && (strings.Contains(w, "tia") || strings.Contains(w, "cia"))) &&
			!(two == "iou" && (strings.Contains(w, "tiou") || strings.Contains(w, "ciou"))) && !(two == "eo" && strings.HasPrefix(w, "people")) {
			n++
		}
	}
	return max(1, n)
}

// EaseIn measures the sentences of the form that a person reads in one language:
// intro, items and the prompt for a comment. The few words on the answers would
// make any form look easy.
func (f *Instrument) EaseIn(lang string) Ease {
	var b strings.Builder
	b.WriteString(f.Intro.In(lang) + "\n")
	for _, it := range f.Items {
		b.WriteString(it.Text.In(lang) + "\n")
	}
	b.WriteString(f.CommentPrompt.In(lang) + "\n")
	return EaseOf(b.String())
}
