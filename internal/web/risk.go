// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// riskRoutes are the way of answers that speak of danger to those who look after
// them.
func (s *Server) riskRoutes() []route {
	return []route{
		{"GET /practice/risk", staff, dutyPage},
		{"POST /practice/risk", staff, setDuty},
		{"GET /risk/{id}", staff, riskPage},
		{"POST /risk/{id}", staff, takeUpRisk},
		{"POST /alarm/came", staff, alarmCame},
	}
}

// riskLine is a signal in words.
type riskLine struct {
	app.RiskView
	Text, Day, Seen string
}

func (c *call) riskLines(all []app.RiskView) (out []riskLine) {
	for _, r := range all {
		x := riskLine{RiskView: r, Day: c.p.DateTime(c.at(r.AtMillis))}
		x.Client.Label = c.nameOf(r.Client.Label, r.Client.ID)
		form := r.Form
		if form == "" {
			form = c.p.T("risk.a_form")
		}
		x.Text = c.p.T("risk.said", "Form", form, "Items", c.p.List(r.Content.Items), "Day", x.Day)
		if r.SeenMillis > 0 {
			x.Seen = c.p.T("risk.seen", "By", c.who(r.SeenByName), "Day", c.p.DateTime(c.at(r.SeenMillis)))
		}
		out = append(out, x)
	}
	return out
}

// riskModel is the page on which a signal is taken up.
type riskModel struct {
	riskLine
	Typed string
	Taken bool
}

func (c *call) riskModel(typed string) (m riskModel, err error) {
	r, err := c.app().RiskSignal(c.r.Context(), c.by, c.id())
	if err != nil {
		return m, err
	}
	return riskModel{riskLine: c.riskLines([]app.RiskView{r})[0], Typed: typed, Taken: r.SeenMillis > 0}, nil
}

func riskPage(c *call) error {
	m, err := c.riskModel("")
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "risk", m)
}

func takeUpRisk(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	done := c.r.PostForm.Get("done")
	err := c.app().TakeUpRisk(c.r.Context(), c.by, c.id(), done)
	if code := care.CodeOf(err); code == care.Invalid || code == care.Conflict || code == care.Unavailable {
		m, lookErr := c.riskModel(done)
		if lookErr != nil {
			return lookErr
		}
		return c.refuse(statusOf[code], "risk", m, err)
	}
	if err != nil {
		return err
	}
	return c.redirect("/today")
}

func alarmCame(c *call) error {
	if err := c.app().ConfirmAlarmTest(c.r.Context(), c.by); err != nil {
		return err
	}
	return c.redirect("/today")
}

// alarmView is what the day's page says of the way of the alarm, "" for nothing.
type alarmView struct{ Test, Late, Nobody string }

func (c *call) alarmView(s app.AlarmState) (v alarmView) {
	if s.TestMillis > 0 {
		v.Test = c.p.T("risk.test", "Day", c.p.DateTime(c.at(s.TestMillis)))
	}
	switch {
	case s.Gone:
		v.Late = c.p.T("risk.gone")
	case s.NoMail:
		v.Late = c.p.T("risk.no_mail")
	case s.Never:
		v.Late = c.p.T("risk.never")
	case s.Late:
		v.Late = c.p.T("risk.late")
	}
	if s.Nobody {
		v.Nobody = c.p.T("risk.nobody")
	}
	return v
}

// dutyModel is who looks after such answers, and how the way to them stands.
type dutyModel struct {
	app.DutyView
	AllHours     []int
	WaitingMails int
	Tested       string
	Done         bool
	Ticked       bool // that such questions are asked without an owner
}

func (c *call) dutyModel(v app.DutyView) dutyModel {
	m := dutyModel{DutyView: v, Ticked: v.Alone != "", AllHours: []int{1, 2, 4, 8, 12, 24}, WaitingMails: int(v.Waiting)}
	if v.TestedMillis > 0 {
		m.Tested = c.p.DateTime(c.at(v.TestedMillis))
	}
	return m
}

func dutyPage(c *call) error {
	v, err := c.app().RiskDuty(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	m := c.dutyModel(v)
	m.Done = c.r.URL.Query().Get("done") != ""
	return c.render(http.StatusOK, "duty", m)
}

func setDuty(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	f := c.r.PostForm
	in := care.RiskDuty{Owner: care.ID(f.Get("owner")), Deputy: care.ID(f.Get("deputy"))}
	in.Hours, _ = strconv.Atoi(f.Get("hours")) // what is no number is out of bounds
	reason, ticked := strings.TrimSpace(f.Get("reason")), f.Get("alone") != ""
	in.Alone = reason
	err := error(nil)
	switch { // saying so takes both, the tick and why
	case in.Owner == "" && ticked && reason == "":
		err = care.Bad("reason", "field.needed")
	case in.Owner == "" && !ticked && reason != "":
		err = care.Bad("reason", "risk.tick")
	default:
		err = c.app().SetRiskDuty(c.r.Context(), c.by, in)
	}
	if err != nil {
		v, lookErr := c.app().RiskDuty(c.r.Context(), c.by)
		if lookErr != nil {
			return lookErr
		}
		v.Owner, v.Deputy, v.Hours, v.Alone = in.Owner, in.Deputy, in.Hours, in.Alone
		m := c.dutyModel(v)
		m.Ticked = ticked
		return c.again("duty", m, err)
	}
	return c.redirect("/practice/risk?done=1")
}
