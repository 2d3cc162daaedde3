// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// accessView is who has seen what is about a client.
type accessView struct {
	ID    care.ID
	Label string
	Lines []accessLine
	More  int // how many older ones are only in the file
}

type accessLine struct{ When, Who, What string }

// shownAccess is how many lines the page holds; the file has all.
const shownAccess = 300

func accessPage(c *call) error {
	all, err := c.app().Access(c.r.Context(), c.by, c.id())
	if err != nil {
		return err
	}
	cl, err := c.app().Client(c.r.Context(), c.by, c.id())
	if err != nil {
		return err
	}
	v := accessView{ID: c.id(), Label: cl.Label, More: max(0, len(all)-shownAccess)}
	for _, l := range all[:len(all)-v.More] {
		v.Lines = append(v.Lines, accessLine{When: c.p.DateTime(c.at(l.AtMillis)), Who: c.whoOf(l), What: c.whatOf(l)})
	}
	return c.render(http.StatusOK, "access", v)
}

func (c *call) whoOf(l app.AccessLine) string {
	if l.Who == "" {
		return c.p.T("audit.respondent")
	}
	return l.Who
}

// whatOf says what was done, and whether it was done in an emergency.
func (c *call) whatOf(l app.AccessLine) string {
	what := c.p.T("audit." + l.Action)
	if l.InNeed && l.Action != "open_emergency" {
		return c.p.T("audit.in_need", "What", what)
	}
	return what
}

// accessFile is the whole list, to be given to the client.
func accessFile(c *call) error {
	all, err := c.app().Access(c.r.Context(), c.by, c.id())
	if err != nil {
		return err
	}
	return c.accessList(all)
}

// erasedAccessFile is what the audit still says of somebody who was erased.
func erasedAccessFile(c *call) error {
	all, err := c.app().ErasedAccess(c.r.Context(), c.by, c.id())
	if err != nil {
		return err
	}
	return c.accessList(all)
}

func (c *call) accessList(all []app.AccessLine) error {
	h := c.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="access.csv"`)
	w := csv.NewWriter(c.w)
	_ = w.Write([]string{c.p.T("audit.when"), c.p.T("audit.who"), c.p.T("audit.what")}) // the writer keeps its first error
	for _, l := range all {
		_ = w.Write([]string{c.at(l.AtMillis).Format(time.RFC3339), inert(c.whoOf(l)), inert(c.whatOf(l))})
	}
	w.Flush()
	return w.Error()
}

// inert keeps a spreadsheet from taking a text for a formula, also one set in
// full width, as some take it with East Asian settings, or behind spaces.
func inert(text string) string {
	if text != strings.TrimLeft(text, "\t\r\n") || strings.IndexAny(strings.TrimSpace(text), "=+-@＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}
