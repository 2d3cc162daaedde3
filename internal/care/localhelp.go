// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"maps"
	"slices"
	"strings"
)

// LocalHelp is what a practice tells whoever answers about help where they live:
// whom to call when nobody reads, in its own words, by language.
type LocalHelp map[string]HelpText

// HelpText is for everybody, and for children and adolescents where that differs.
type HelpText struct {
	All   string `json:"all,omitempty"`
	Young string `json:"young,omitempty"`
	Hours string `json:"hours,omitempty"` // when somebody reads answers, on the page after one that spoke of danger
}

// MaxHelpText bounds one text, in characters: what is longer is not read in need.
const MaxHelpText = 300

// For is the text for whoever answers, and the language it is in; a telephone
// number helps in any language. Both are "" where there is none.
func (h LocalHelp) For(language string, band AgeBand) (text, in string) {
	for _, l := range append([]string{language}, slices.Sorted(maps.Keys(h))...) {
		t := h[l]
		if t.Young != "" && (band == Child || band == Adolescent) {
			return t.Young, l
		}
		if t.All != "" {
			return t.All, l
		}
	}
	return "", ""
}

// Check refuses a text that is too long, with its field: all-en, young-it.
func (h LocalHelp) Check() error {
	for _, l := range slices.Sorted(maps.Keys(h)) {
		if len([]rune(h[l].All)) > MaxHelpText {
			return Bad("all-"+l, "field.too_long")
		}
		if len([]rune(h[l].Young)) > MaxHelpText {
			return Bad("young-"+l, "field.too_long")
		}
		if len([]rune(h[l].Hours)) > MaxHelpText {
			return Bad("hours-"+l, "field.too_long")
		}
	}
	return nil
}

// Trimmed is without blanks around the texts, and without languages that say
// nothing.
func (h LocalHelp) Trimmed() LocalHelp {
	out := LocalHelp{}
	for l, t := range h {
		for _, text := range []*string{&t.All, &t.Young, &t.Hours} {
			*text = strings.TrimSpace(strings.ReplaceAll(*text, "\r\n", "\n"))
		}
		if t != (HelpText{}) {
			out[l] = t
		}
	}
	return out
}
