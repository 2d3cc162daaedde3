// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"math"
	"testing"
)

func TestSyllables(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]int{
		"a": 1, "the": 1, "like": 1, "liked": 1, "wanted": 2, "table": 2, "little": 2, "people": 2, "being": 2, "quiet": 2, "session": 2,
		"together": 3, "something": 2, "science": 2, "anything": 3, "important": 3, "therapist": 3, "family": 3, "idea": 3, "serious": 3, "special": 2,
		"places": 2, "likes": 1, "wishes": 2, "don't": 1, "whole": 1, "goal": 1, "goals": 1, "answer": 2, "question": 2, "trying": 2, "while": 1, "rule": 1,
	} {
		if got := syllables(word); got != want {
			t.Errorf("%s: %d, want %d", word, got, want)
		}
	}
}

// TestEase works two texts out by hand.
func TestEase(t *testing.T) {
	t.Parallel()
	e := EaseOf("The cat sat on the mat. It was happy!")
	if e.Sentences != 2 || e.Words != 9 || e.Syllables != 10 || e.Letters != 27 {
		t.Errorf("%+v", e)
	}
	if want := .39*9/2 + 11.8*10/9 - 15.59; math.Abs(e.Grade-want) > 1e-12 {
		t.Errorf("grade %v, want %v", e.Grade, want)
	}
	e = EaseOf("Oggi sono andato al mare con mia sorella\nChe bello")
	if want := 89 + (300*2-10*41.)/10; e.Sentences != 2 || e.Words != 10 || e.Letters != 41 || math.Abs(e.Gulpease-min(100, want)) > 1e-12 {
		t.Errorf("%+v, want Gulpease %v", e, want)
	}
	if (EaseOf(" ...\n") != Ease{}) {
		t.Error("a text without words")
	}
}
