// SPDX-License-Identifier: AGPL-3.0-or-later

package i18n

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

// Printer says things in one language. It is safe for use by many at once.
type Printer struct {
	lang string
	loc  *goi18n.Localizer
	keys map[string]bool
	form form
	said *sync.Map // messages without places, by id: they never change
}

// form is how a language writes what is not a sentence.
type form struct {
	decimal, thousand   string
	months, monthsShort [12]string
	days                [7]string // from Sunday, as time.Weekday counts
	at                  string    // between a date and a clock
}

var forms = map[string]form{
	English: {
		decimal: ".", thousand: ",", at: ", ",
		months:      [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		monthsShort: [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		days:        [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	},
	Italian: {
		decimal: ",", thousand: ".", at: ", ore ",
		months:      [12]string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"},
		monthsShort: [12]string{"gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"},
		days:        [7]string{"domenica", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato"},
	},
}

// Lang is the printer's language as a BCP 47 tag: "en" or "it".
func (p *Printer) Lang() string { return p.lang }

// Has reports whether the language has this message.
func (p *Printer) Has(id string) bool { return p.keys[id] }

// T is the message with this id, its {{.Name}} places filled from alternating
// names and values. A message that does not exist gives its id.
func (p *Printer) T(id string, kv ...any) string {
	if len(kv) == 0 && p.keys[id] {
		if s, ok := p.said.Load(id); ok {
			return s.(string) //nolint:forcetypeassert // nothing else is stored
		}
		s := p.say(&goi18n.LocalizeConfig{MessageID: id, TemplateData: pairs(nil)})
		p.said.Store(id, s)
		return s
	}
	return p.say(&goi18n.LocalizeConfig{MessageID: id, TemplateData: pairs(kv)})
}

// N is the form of a message that fits count; {{.Count}} is the count as the
// language writes it, the other places are filled as in T.
func (p *Printer) N(id string, count int, kv ...any) string {
	data := pairs(kv)
	data["Count"] = p.Number(float64(count), 0)
	return p.say(&goi18n.LocalizeConfig{MessageID: id, TemplateData: data, PluralCount: count})
}

func (p *Printer) say(c *goi18n.LocalizeConfig) string {
	if !p.Has(c.MessageID) {
		return c.MessageID
	}
	s, err := p.loc.Localize(c)
	if err != nil && c.PluralCount != nil {
		// Italian has a form for millions ("un milione di sedute") that most messages need not have.
		c.PluralCount = 2
		s, err = p.loc.Localize(c)
	}
	if err != nil {
		return c.MessageID
	}
	return s
}

func pairs(kv []any) map[string]any {
	data := make(map[string]any, len(kv)/2+1)
	for i := 0; i+1 < len(kv); i += 2 {
		data[fmt.Sprint(kv[i])] = kv[i+1]
	}
	return data
}

// Number writes v with this many decimals: "4.6", in Italian "4,6"; thousands
// are grouped, a minus is a minus sign, and NaN or an infinity is "–".
func (p *Printer) Number(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + p.form.thousand + whole[i:]
	}
	if fraction != "" {
		whole += p.form.decimal + fraction
	}
	if v < 0 && strings.ContainsAny(s, "123456789") {
		return "\u2212" + whole
	}
	return whole
}

// Date is "12 September 2026", "12 settembre 2026", in the zone of t. In
// Italian the first of a month is "1º".
func (p *Printer) Date(t time.Time) string {
	return p.day(t) + " " + p.form.months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// DateShort is "12 Sep", "12 set", in the zone of t.
func (p *Printer) DateShort(t time.Time) string {
	return p.day(t) + " " + p.form.monthsShort[t.Month()-1]
}

func (p *Printer) day(t time.Time) string {
	if p.lang == Italian && t.Day() == 1 {
		return "1º"
	}
	return strconv.Itoa(t.Day())
}

// Clock is "17:30", in the zone of t.
func (p *Printer) Clock(t time.Time) string { return t.Format("15:04") }

// DateTime is "12 September 2026, 17:30", "12 settembre 2026, ore 17:30".
func (p *Printer) DateTime(t time.Time) string { return p.Date(t) + p.form.at + p.Clock(t) }

// Weekday is "Saturday", "sabato", in the zone of t.
func (p *Printer) Weekday(t time.Time) string { return p.form.days[t.Weekday()] }

// List joins as a sentence does: "A", "A and B", "A, B and C"; none gives "".
func (p *Printer) List(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	first, last := items[:len(items)-1], items[len(items)-1]
	and := " and "
	if p.lang == Italian {
		and = " e "
		if strings.HasPrefix(strings.ToLower(last), "e") {
			and = " ed "
		}
	}
	return strings.Join(first, ", ") + and + last
}
