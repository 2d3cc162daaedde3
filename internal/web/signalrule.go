// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"

	"github.com/entente-project/entente/alliance"
)

// signalRuleView is the choice of the rule by which courses are judged.
type signalRuleView struct {
	Rules   []ruleChoice
	Lengths []int // of the courses that the shares are of
	Done    bool
}

// ruleChoice is a rule, and what percent of stable courses it asks about without
// cause, by length.
type ruleChoice struct {
	ID     string
	Chosen bool
	Shares []string
}

// asked3 is how many series most forms have: bond, tasks and goals.
const asked3 = 3

func (c *call) signalRuleView(chosen string) signalRuleView {
	v := signalRuleView{Lengths: []int{8, 16, 24}}
	ids := []string{alliance.WeighingName}
	for _, r := range alliance.Offered() {
		ids = append(ids, r.ID)
	}
	for _, id := range ids {
		x := ruleChoice{ID: id, Chosen: id == chosen}
		for _, n := range v.Lengths {
			x.Shares = append(x.Shares, percent(c.p, alliance.FalseAlarms(id, asked3, n)))
		}
		v.Rules = append(v.Rules, x)
	}
	return v
}

func signalRulePage(c *call) error {
	id, err := c.app().SignalRule(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	v := c.signalRuleView(id)
	v.Done = c.r.URL.Query().Get("done") != ""
	return c.render(http.StatusOK, "signalrule", v)
}

func setSignalRule(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	id := c.r.PostForm.Get("rule")
	if err := c.app().SetSignalRule(c.r.Context(), c.by, id); err != nil {
		return c.again("signalrule", c.signalRuleView(id), err)
	}
	return c.redirect("/practice/signals?done=1")
}
