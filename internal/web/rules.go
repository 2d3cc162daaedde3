// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/entente-project/entente/internal/care"
)

// rulesRoutes are what a manager decides about sign-ins.
func (s *Server) rulesRoutes() []route {
	return []route{
		{"GET /practice", staff, rulesPage},
		{"POST /practice", staff, setRules},
		{"GET /practice/figures", staff, practicePage},
		{"GET /practice/signals", staff, signalRulePage},
		{"POST /practice/signals", staff, setSignalRule},
		{"GET /practice/expected", staff, expectedPage},
		{"POST /practice/expected", staff, workOutExpected},
	}
}

// rulesView is what a practice asks of its sign-ins.
type rulesView struct {
	Idle, Longest choices
	SecondFrom    string // 2026-11-30, "" for never
	Done          bool
}

// choices is a list of numbers with words, one of them chosen.
type choices struct {
	All    []choice
	Chosen int
}

type choice struct {
	Value int
	Text  string
}

func (c *call) rulesView(r care.SignInRules) rulesView {
	v := rulesView{Idle: choices{Chosen: r.IdleMinutes}, Longest: choices{Chosen: r.LongestHours}}
	if r.SecondFromMillis != 0 {
		v.SecondFrom = c.at(r.SecondFromMillis).Format(time.DateOnly)
	}
	for _, n := range []int{care.LeastIdleMinutes, 10, 15, 30, care.MostIdleMinutes} {
		v.Idle.All = append(v.Idle.All, choice{n, c.p.N("rules.minutes", n)})
	}
	for _, n := range []int{care.LeastLongestHours, 4, 8, 12, care.MostLongestHours} {
		v.Longest.All = append(v.Longest.All, choice{n, c.p.N("rules.hours", n)})
	}
	return v
}

func rulesPage(c *call) error {
	r, err := c.app().SignInRules(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	v := c.rulesView(r)
	v.Done = c.r.URL.Query().Get("done") != ""
	return c.render(http.StatusOK, "rules", v)
}

func setRules(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	r, err := c.app().SignInRules(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	// What is no number is out of bounds, as 0 is.
	r.IdleMinutes, _ = strconv.Atoi(c.r.PostForm.Get("idle"))
	r.LongestHours, _ = strconv.Atoi(c.r.PostForm.Get("longest"))
	if r.SecondFromMillis, err = c.dayOf("second_from"); err != nil {
		return c.again("rules", c.rulesView(r), err)
	}
	if err := c.app().SetSignInRules(c.r.Context(), c.by, r, c.r.PostForm.Get("old")); err != nil {
		return c.again("rules", c.rulesView(r), err)
	}
	return c.redirect("/practice?done=1")
}

// use notes that this request is a person's own, and not their page asking for
// itself. What cannot be noted hinders no reading.
func (c *call) use() {
	if !c.me.UseDue || c.r.Pattern == "GET /pulse" || c.r.Header.Get("Entente-Beat") != "" {
		return
	}
	if err := c.app().UseSignIn(c.r.Context(), c.by); ignoreMissing(err) != nil {
		c.log(levelOf(err), err, "")
	}
}
