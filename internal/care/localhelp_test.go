// SPDX-License-Identifier: AGPL-3.0-or-later

package care_test

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

// TestLocalHelp: a young person reads the text for the young, in their language
// before another's, and everybody reads something wherever there is something.
func TestLocalHelp(t *testing.T) {
	t.Parallel()
	h := care.LocalHelp{"en": {All: "en all"}, "it": {All: "it all", Young: "it young"}}
	for _, c := range []struct {
		h        care.LocalHelp
		language string
		band     care.AgeBand
		text, in string
	}{
		{h, "en", care.Adult, "en all", "en"},
		{h, "it", care.Adult, "it all", "it"},
		{h, "it", care.Adolescent, "it young", "it"},
		{h, "it", care.Child, "it young", "it"},
		{h, "en", care.Adolescent, "en all", "en"},
		{h, "de", care.Adult, "en all", "en"},
		{care.LocalHelp{"it": {Young: "it young"}}, "en", care.Adult, "", ""},
		{care.LocalHelp{"it": {Young: "it young"}}, "en", care.Child, "it young", "it"},
		{nil, "en", care.Adult, "", ""},
	} {
		if text, in := c.h.For(c.language, c.band); text != c.text || in != c.in {
			t.Errorf("%s, %s: %q in %q, wanted %q in %q", c.language, c.band, text, in, c.text, c.in)
		}
	}
	trimmed := care.LocalHelp{"en": {All: " a\r\nb \n"}, "it": {Young: " \r\n"}}.Trimmed()
	if len(trimmed) != 1 || trimmed["en"].All != "a\nb" {
		t.Errorf("trimmed: %q", trimmed)
	}
	long := strings.Repeat("è", care.MaxHelpText)
	if err := (care.LocalHelp{"en": {All: long}, "it": {Young: long}}).Check(); err != nil {
		t.Error(err)
	}
	if err := (care.LocalHelp{"it": {Young: long + "è"}}).Check(); err == nil || !strings.Contains(err.Error(), "young-it") {
		t.Errorf("one too many: %v", err)
	}
}
