// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func problemCode(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

func TestParseNumber(t *testing.T) {
	t.Parallel()
	const miss = "missing"
	for _, c := range []struct {
		text    string
		decimal Decimal
		want    any // float64, miss, or a code
	}{
		{"3.5", DecimalAuto, 3.5}, {"3,5", DecimalAuto, 3.5}, {" 42 ", DecimalAuto, 42.0}, {"-7", DecimalAuto, -7.0},
		{"+1,25", DecimalAuto, 1.25}, {"\u22123,5", DecimalAuto, -3.5}, {".5", DecimalAuto, 0.5}, {",5", DecimalAuto, 0.5}, {"3.", DecimalAuto, 3.0},
		{"1.234,5", DecimalAuto, 1234.5}, {"1,234.5", DecimalAuto, 1234.5}, {"1.234.567", DecimalAuto, 1234567.0},
		{"1,234,567.25", DecimalAuto, 1234567.25}, {"1 234,5", DecimalAuto, 1234.5}, {"1\u00a0234", DecimalAuto, 1234.0},
		{"1\u202f234,5", DecimalComma, 1234.5}, {"1'234.5", DecimalAuto, 1234.5}, {"1234.567", DecimalAuto, 1234.567},
		{"0.234", DecimalAuto, 0.234}, {"0,234", DecimalAuto, 0.234}, {"1e3", DecimalAuto, 1000.0}, {"1,5E-3", DecimalAuto, 0.0015},
		{"1.234", DecimalAuto, CodeNumberAmbiguous}, {"1,234", DecimalAuto, CodeNumberAmbiguous}, {"-12,345", DecimalAuto, CodeNumberAmbiguous},
		{"1.234", DecimalPoint, 1.234}, {"1.234", DecimalComma, 1234.0}, {"1,234", DecimalPoint, 1234.0}, {"1,234", DecimalComma, 1.234},
		{"3,5", DecimalPoint, CodeNumber}, {"3.5", DecimalComma, CodeNumber}, {"1.234,5", DecimalPoint, CodeNumber},
		{"", DecimalAuto, miss}, {"  ", DecimalComma, miss}, {"NA", DecimalAuto, miss}, {"n.a.", DecimalAuto, miss}, {"-", DecimalPoint, miss}, {"n/a", DecimalAuto, miss},
		{"abc", DecimalAuto, CodeNumber}, {"3 mg", DecimalAuto, CodeNumber}, {"1.2.3", DecimalAuto, CodeNumber}, {"12.34.567", DecimalAuto, CodeNumber},
		{"1.23,4", DecimalAuto, CodeNumber}, {"1,2,3", DecimalAuto, CodeNumber}, {"NaN", DecimalAuto, CodeNumber}, {"Inf", DecimalAuto, CodeNumber},
		{"0x10", DecimalAuto, CodeNumber}, {"1_000", DecimalAuto, CodeNumber}, {"--1", DecimalAuto, CodeNumber}, {"1-2", DecimalAuto, CodeNumber},
		{"e5", DecimalAuto, CodeNumber}, {"1e", DecimalAuto, CodeNumber}, {"1e+-2", DecimalAuto, CodeNumber}, {"٣", DecimalAuto, CodeNumber},
		{"1.234 567", DecimalAuto, CodeNumber}, {"1e999", DecimalAuto, CodeNumberRange}, {",", DecimalAuto, CodeNumber}, {"50%", DecimalAuto, CodeNumber},
	} {
		v, missing, err := ParseNumber(c.text, c.decimal)
		switch want := c.want.(type) {
		case float64:
			if v != want || missing || err != nil {
				t.Errorf("%q, %d: %v, %v, %v; want %v", c.text, c.decimal, v, missing, err, want)
			}
		case string:
			if !math.IsNaN(v) || missing != (want == miss) || (want != miss && problemCode(err) != want) || (want == miss && err != nil) {
				t.Errorf("%q, %d: %v, %v, %v; want %s", c.text, c.decimal, v, missing, err, want)
			}
		}
	}
	if _, missing, err := ParseNumber("999", DecimalAuto, "999", "keine"); !missing || err != nil {
		t.Errorf("a chosen missing text: %v", err)
	}
	if _, _, err := ParseNumber("NA", DecimalAuto, "999"); problemCode(err) != CodeNumber {
		t.Errorf("chosen texts replace the usual ones: %v", err)
	}
	_, _, err := ParseNumber("1,234", DecimalAuto)
	if s := err.Error(); !strings.Contains(s, "1234 or 1.234") {
		t.Errorf("the two readings are not told: %s", s)
	}
}

func TestNumbersRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		want := rapid.Float64Range(-1e12, 1e12).Draw(r, "v")
		point := strconv.FormatFloat(want, 'f', -1, 64)
		comma := strings.Replace(point, ".", ",", 1)
		for text, d := range map[string]Decimal{point: DecimalPoint, comma: DecimalComma} {
			if got, _, err := ParseNumber(text, d); err != nil || got != want {
				r.Fatalf("%s: %v, %v", text, got, err)
			}
		}
		// Auto is either right or refuses.
		if got, _, err := ParseNumber(comma, DecimalAuto); err == nil && got != want {
			r.Fatalf("auto read %s as %v", comma, got)
		}
	})
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	for _, c := range []struct{ text, format, want string }{
		{"2025-12-31", FormatISO, "2025-12-31T00:00:00+01:00"},
		{" 2025-07-01 ", FormatISO, "2025-07-01T00:00:00+02:00"},
		{"2025-12-31T15:04", FormatISO, "2025-12-31T15:04:00+01:00"},
		{"2025-12-31 15:04:05", FormatISO, "2025-12-31T15:04:05+01:00"},
		{"2025-12-31T15:04:05.25", FormatISO, "2025-12-31T15:04:05.25+01:00"},
		{"2025-12-31T15:04Z", FormatISO, "2025-12-31T15:04:00Z"},
		{"2025-12-31T15:04:05-05:30", FormatISO, "2025-12-31T15:04:05-05:30"},
		{"2024-02-29", FormatISO, "2024-02-29T00:00:00+01:00"},
		{"31/12/2025", FormatDMY, "2025-12-31T00:00:00+01:00"},
		{"31.12.2025", FormatDMY, "2025-12-31T00:00:00+01:00"},
		{"31-12-25", FormatDMY, "2025-12-31T00:00:00+01:00"},
		{"1/2/85 9:05", FormatDMY, "1985-02-01T09:05:00+01:00"},
		{"03/04/2025", FormatDMY, "2025-04-03T00:00:00+02:00"},
		{"03/04/2025", FormatMDY, "2025-03-04T00:00:00+01:00"},
		{"12/31/2025 23:59:59", FormatMDY, "2025-12-31T23:59:59+01:00"},
		{"2025-12-31", FormatAuto, "2025-12-31T00:00:00+01:00"},
		{"31/12/2025", FormatAuto, "2025-12-31T00:00:00+01:00"},
		{"12/31/2025", FormatAuto, "2025-12-31T00:00:00+01:00"},
		{"03/03/2025", FormatAuto, "2025-03-03T00:00:00+01:00"},
		{"03/04/2025", FormatAuto, CodeDateAmbiguous},
		{"2025-03-30 02:30", FormatISO, CodeDate}, // the hour the clocks skip
		{"2023-02-29", FormatISO, CodeDate}, {"2025-13-01", FormatISO, CodeDate}, {"2025-00-10", FormatISO, CodeDate},
		{"2025-1-1", FormatISO, CodeDate}, {"2025-12-31T24:00", FormatISO, CodeDate}, {"2025-12-31T15:60", FormatISO, CodeDate},
		{"2025-12-31T15:04+25:00", FormatISO, CodeDate}, {"2025-12-31x", FormatISO, CodeDate}, {"2025-12-31 ", FormatDMY, CodeDate},
		{"0025-12-31", FormatISO, CodeDate}, {"31/12/025", FormatDMY, CodeDate}, {"31/12.2025", FormatDMY, CodeDate},
		{"12/31/2025", FormatDMY, CodeDate}, {"31/12/2025", FormatMDY, CodeDate}, {"", FormatISO, CodeDate}, {"45291", FormatAuto, CodeDate},
		{"31/12/2025 Z", FormatDMY, CodeDate}, {"31/12/2025 10:00Z", FormatDMY, CodeDate}, {"31/4/2025", FormatDMY, CodeDate},
		{"2025-12-31", "ymd", CodeDateFormat},
	} {
		got, err := ParseTime(c.text, c.format, rome)
		if err != nil {
			if problemCode(err) != c.want || !got.IsZero() {
				t.Errorf("%q as %s: %v, want %s", c.text, c.format, err, c.want)
			}
			continue
		}
		if s := got.Format(time.RFC3339Nano); s != c.want {
			t.Errorf("%q as %s: %s, want %s", c.text, c.format, s, c.want)
		}
	}
	if got, err := ParseTime("2025-12-31", FormatISO, nil); err != nil || got.Location() != time.UTC {
		t.Errorf("without a place: %v, %v", got, err)
	}
	// Here the clocks skipped midnight, so the day began at one.
	if there, err := time.LoadLocation("America/Sao_Paulo"); err == nil {
		got, err := ParseTime("2018-11-04", FormatISO, there)
		if err != nil || got.Format("2006-01-02 15") != "2018-11-04 01" {
			t.Errorf("a day without midnight: %v, %v", got, err)
		}
	}
}

func TestDateSniffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values string
		want   string
		says   string
		unread int
	}{
		{"2025-12-31|2025-01-02 10:00||NA", FormatISO, "", 0},
		{"03/04/2025|25/04/2025|-", FormatDMY, "", 0},
		{"03/04/2025|04/25/2025", FormatMDY, "", 0},
		{"03/03/2025|05/05/2025", FormatDMY, "", 0},
		{"3.4.25|31.12.25|later", FormatDMY, "", 1},
		{"03/04/2025|05/06/2025", CodeDateAmbiguous, "choose the date format of this column in the mapping", 0},
		{"25/04/2025|04/25/2025", CodeDateMixed, `"25/04/2025" and "04/25/2025"`, 0},
		{"2025-12-31|03/04/2025", CodeDateMixed, `"2025-12-31" and "03/04/2025"`, 0},
		{"2025-12-31|03/03/2025", CodeDateMixed, `"2025-12-31" and "03/03/2025"`, 0},
		{"|NA|", CodeDateNone, "no value is a date", 0},
		{"one|two", CodeDateNone, "no value is a date", 2},
	} {
		d := DateSniffer{Column: "when"}
		values := strings.Split(c.values, "|")
		for _, v := range values {
			d.Add(v)
		}
		got, err := d.Format()
		if err != nil {
			if problemCode(err) != c.want || got != "" || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), `column "when"`) {
				t.Errorf("%s: %q, %v; want %s", c.values, got, err, c.want)
			}
		} else if got != c.want || d.Unreadable() != c.unread {
			t.Errorf("%s: %s with %d unread, want %s with %d", c.values, got, d.Unreadable(), c.want, c.unread)
		}
	}
}

// What the sniffer decides reads every readable value.
func TestSnifferAndParserAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		layout := rapid.SampledFrom([]string{"2006-01-02", "02/01/2006", "01/02/2006", "2.1.2006"}).Draw(r, "layout")
		days := rapid.SliceOfN(rapid.IntRange(0, 20000), 1, 8).Draw(r, "days")
		var d DateSniffer
		var texts []string
		var times []time.Time
		for _, n := range days {
			at := time.Date(1990, 1, 1+n, 0, 0, 0, 0, time.UTC)
			times, texts = append(times, at), append(texts, at.Format(layout))
			d.Add(at.Format(layout))
		}
		format, err := d.Format()
		if err != nil {
			if problemCode(err) != CodeDateAmbiguous {
				r.Fatal(err)
			}
			return
		}
		for i, text := range texts {
			if got, err := ParseTime(text, format, time.UTC); err != nil || !got.Equal(times[i]) {
				r.Fatalf("%s as %s: %v, %v", text, format, got, err)
			}
		}
	})
}

func FuzzCells(f *testing.F) {
	for _, s := range []string{"1.234,5", "-1e5", "31/12/2025 10:00", "2025-12-31T10:00:00.5+01:00", "''1", "1 234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range []Decimal{DecimalAuto, DecimalPoint, DecimalComma} {
			v, missing, err := ParseNumber(s, d)
			if (missing || err != nil) != math.IsNaN(v) || math.IsInf(v, 0) || missing && err != nil {
				t.Fatalf("%q: %v, %v, %v", s, v, missing, err)
			}
		}
		var d DateSniffer
		d.Add(s)
		for _, format := range []string{FormatISO, FormatDMY, FormatMDY, FormatAuto} {
			if at, err := ParseTime(s, format, time.UTC); err == nil && (at.Year() < firstYear-1 || at.Year() > lastYear+1) {
				t.Fatalf("%q as %s: %v", s, format, at)
			}
		}
	})
}
