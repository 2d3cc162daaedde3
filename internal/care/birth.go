// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Birth is when a client was born, where the practice noted it, and up to which age
// who has access to them was looked at again.
type Birth struct {
	Practice ID     `json:"-"`
	Client   ID     `json:"-"`
	Born     string `json:"born"`     // calendar date
	Reviewed int    `json:"reviewed"` // the last age at which access was reviewed; 0: none
}

// String keeps a date of birth out of every formatted line.
func (Birth) String() string { return "[sealed]" }

// AgeOn is the age in whole years on a calendar date; ok is false without a birth.
func (b Birth) AgeOn(on string) (years int, ok bool) {
	born, err := time.Parse(time.DateOnly, b.Born)
	now, err2 := time.Parse(time.DateOnly, on)
	if err != nil || err2 != nil || now.Before(born) {
		return 0, false
	}
	years = now.Year() - born.Year()
	if now.Month() < born.Month() || now.Month() == born.Month() && now.Day() < born.Day() {
		years--
	}
	return years, true
}

// Due is the age for which access to the client is to be reviewed on a date; 0 for none.
func (b Birth) Due(ages []int, on string) (age int) {
	years, ok := b.AgeOn(on)
	if !ok {
		return 0
	}
	for _, a := range ages {
		if a <= years && a > b.Reviewed {
			age = max(age, a)
		}
	}
	return age
}

// UsualReviews are the ages at which access is reviewed where a practice says nothing.
func UsualReviews() []int { return []int{14, 16, 18} }

// ReviewAges reads ages as they are typed, "14, 16, 18". Errors: invalid.
func ReviewAges(typed string) (out []int, err error) {
	for _, s := range strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 6 || n > 18 {
			return nil, Bad("review_ages", "consent.bad_review_ages")
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// AgesText writes ages as ReviewAges reads them.
func AgesText(ages []int) string {
	var out []string
	for _, a := range ages {
		out = append(out, strconv.Itoa(a))
	}
	return strings.Join(out, ", ")
}
