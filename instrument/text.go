// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"maps"
	"slices"
	"strings"
)

// Text is one wording in several languages, by language tag ("en", "it").
type Text map[string]string

// In is the wording in a language: of the tag itself, else of its main language
// ("it" for "it-CH"), else English, else the first language by name. It is
// empty only if the text is.
func (t Text) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	main, _, _ := strings.Cut(lang, "-")
	if s, ok := t[main]; ok {
		return s
	}
	if s, ok := t["en"]; ok {
		return s
	}
	for _, l := range t.languages() {
		return t[l]
	}
	return ""
}

func (t Text) languages() []string { return slices.Sorted(maps.Keys(t)) }
