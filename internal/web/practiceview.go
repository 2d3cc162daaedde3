// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
	"net/http"
	"strconv"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// practiceView is what comes of signals in the practice as a whole, in words.
type practiceView struct {
	Lead, Few string // Few: why nothing is shown
	Rows      []figureLine
}

type figureLine struct{ What, Value string }

// smallCell is from how many on a number is shown: fewer could be told from each
// other.
const smallCell = 5

// cell shows a count, unless it, or what is left of the whole, is small.
func (c *call) cell(n, of int) string {
	switch {
	case n < smallCell:
		return c.p.T("figures.few", "N", smallCell)
	case of-n < smallCell && of != n:
		return c.p.T("figures.nearly_all")
	case of == 0:
		return strconv.Itoa(n)
	}
	return c.p.T("figures.share", "N", n, "Of", of, "Percent", c.p.Number(math.Round(100*float64(n)/float64(of)), 0))
}

func (c *call) practiceModel(f app.SignalFigures) (v practiceView) {
	if f.TooFew() {
		v.Few = c.p.T("figures.too_few", "Least", app.OwnFewest)
		return v
	}
	v.Lead = c.p.T("figures.lead", "Clients", f.Clients, "Rated", f.Rated)
	add := func(key, value string) { v.Rows = append(v.Rows, figureLine{c.p.T(key), value}) }
	add("figures.signals", c.cell(f.Signals, f.Rated))
	add("figures.answered", c.cell(f.Answered, f.Signals))
	for _, k := range care.SignalChoices() {
		add("said."+string(k), c.cell(f.Choices[k], f.Answered))
	}
	if n := len(f.Days); n >= smallCell {
		add("figures.days", c.p.T("figures.days_value", "Median", c.p.Number(f.Days[n/2], 1), "Most", c.p.Number(f.Days[n*4/5], 1)))
	}
	add("figures.back", c.cell(f.Back, f.Followed))
	return v
}

func practicePage(c *call) error {
	f, err := c.app().SignalFigures(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "figures", c.practiceModel(f))
}
