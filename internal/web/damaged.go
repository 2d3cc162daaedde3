// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// whatIs names a sealed value in words.
func (c *call) whatIs(table, column string) string {
	if key := "damaged." + table + "." + column; c.p.Has(key) {
		return c.p.T(key)
	}
	return c.p.T("damaged.value")
}

// damagedLine names a value that does not open, and its session.
func (c *call) damagedLine(d care.Damaged) string {
	what := c.whatIs(d.Table, d.Column)
	if d.SessionMillis > 0 {
		return c.p.T("damaged.of_session", "What", what, "Date", c.day(d.SessionMillis))
	}
	return what
}

// nameOf is a client's name, or, if that does not open, a sentence that says so.
func (c *call) nameOf(label string, id care.ID) string {
	if label != "" {
		return label
	}
	return c.p.T("damaged.nameless", "ID", string(id))
}

// who is a colleague's name, or, if that does not open, words that say so.
func (c *call) who(name string) string { return whoAll(c.p, []string{name})[0] }

func whoAll(p *i18n.Printer, names []string) (out []string) {
	for _, n := range names {
		if n == "" {
			n = p.T("damaged.colleague")
		}
		out = append(out, n)
	}
	return out
}

// tampered fills the page about a record that does not open, and without which
// there is nothing to show.
func (c *call) tampered(v *errorView, e *care.Error) {
	v.Title = c.p.T("damaged.title")
	v.Text = c.p.T("damaged.page", "What", c.whatIs(e.Args["Table"], e.Args["Column"]), "Record", e.Args["Row"])
}
