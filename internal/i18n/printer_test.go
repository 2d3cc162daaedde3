// SPDX-License-Identifier: AGPL-3.0-or-later

package i18n

import (
	"math"
	"testing"
	"time"
)

func TestNumber(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		v        float64
		decimals int
		en, it   string
	}{
		{4.56, 1, "4.6", "4,6"},
		{3, 0, "3", "3"},
		{1234567.5, 1, "1,234,567.5", "1.234.567,5"},
		{999, 0, "999", "999"},
		{1000, 0, "1,000", "1.000"},
		{-0.7, 1, "\u22120.7", "\u22120,7"},
		{-0.04, 1, "0.0", "0,0"}, // what rounds to nothing has no sign
		{math.NaN(), 1, "–", "–"},
		{math.Inf(-1), 2, "–", "–"},
	} {
		if got := For(English).Number(x.v, x.decimals); got != x.en {
			t.Errorf("Number(%v, %d) in English = %q, want %q", x.v, x.decimals, got, x.en)
		}
		if got := For(Italian).Number(x.v, x.decimals); got != x.it {
			t.Errorf("Number(%v, %d) in Italian = %q, want %q", x.v, x.decimals, got, x.it)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 9, 12, 17, 5, 0, 0, time.UTC)
	first := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	en, it := For(English), For(Italian)
	for _, x := range []struct{ got, want string }{
		{en.Date(at), "12 September 2026"}, {it.Date(at), "12 settembre 2026"},
		{en.DateShort(at), "12 Sep"}, {it.DateShort(at), "12 set"},
		{en.Clock(at), "17:05"}, {it.Clock(at), "17:05"},
		{en.DateTime(at), "12 September 2026, 17:05"}, {it.DateTime(at), "12 settembre 2026, ore 17:05"},
		{en.Weekday(at), "Saturday"}, {it.Weekday(at), "sabato"},
		{en.Date(first), "1 May 2026"}, {it.Date(first), "1º maggio 2026"},
		{en.Clock(at.In(time.FixedZone("", 2*3600))), "19:05"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	en, it := For(English), For(Italian)
	for _, x := range []struct{ got, want string }{
		{en.List(nil), ""}, {en.List([]string{"A"}), "A"}, {en.List([]string{"A", "B"}), "A and B"},
		{en.List([]string{"A", "B", "C"}), "A, B and C"}, {it.List([]string{"A", "B", "C"}), "A, B e C"},
		{it.List([]string{"Anna", "Elena"}), "Anna ed Elena"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestPlural(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ lang, one, two, million string }{
		{English, "One thing to put right", "2 things to put right", "1,000,000 things to put right"},
		{Italian, "C'è una cosa da sistemare", "Ci sono 2 cose da sistemare", "Ci sono 1.000.000 cose da sistemare"},
	} {
		p := For(x.lang)
		for n, want := range map[int]string{1: x.one, 2: x.two, 1_000_000: x.million} {
			if got := p.N("error.summary", n); got != want {
				t.Errorf("%s: N(%d) = %q, want %q", x.lang, n, got, want)
			}
		}
		if got := p.N("form.readers", 1_000_000, "Names", "A"); got == "form.readers" {
			t.Errorf("%s: a message without a form for millions says nothing", x.lang)
		}
	}
	if got := For(Italian).T("join.welcome", "Name", "Anna"); got != "Ti diamo il benvenuto, Anna" {
		t.Errorf("T = %q", got)
	}
	if got := For(Italian).T("no.such"); got != "no.such" {
		t.Errorf("a missing message = %q, want its id", got)
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"": English, "it": Italian, "it-CH,it;q=0.9,en;q=0.5": Italian, "de,fr;q=0.8": English,
		"de, it;q=0.8, en;q=0.9": English, ";;;": English, "*": English,
	} {
		if got := Match(accept); got != want {
			t.Errorf("Match(%q) = %q, want %q", accept, got, want)
		}
	}
	if got := For("it-IT").Lang(); got != Italian {
		t.Errorf("For(it-IT) speaks %q", got)
	}
	if got := For("xx").Lang(); got != English {
		t.Errorf("For(xx) speaks %q", got)
	}
}
