// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// consentRoutes are who consents to what: the practice's rule and texts, a client's
// consents, and a person's own page, on which nothing names the practice.
func (s *Server) consentRoutes() []route {
	return []route{
		{"GET /practice/consent", staff, consentSettingPage},
		{"POST /practice/consent", staff, setConsent},
		{"GET /clients/{id}/consent", staff, consentPage},
		{"POST /clients/{id}/consent", staff, changeConsent},
		{"GET /form/text", anyone, openTextPage},
		{"GET /form/text/{token}", anyone, openTextPage},
		{"POST /form/text", anyone, openText},
		{"GET /form/texts", consenter, textsPage},
		{"POST /form/texts", consenter, answerText},
		{"POST /form/texts/leave", anyone, leaveTexts},
	}
}

// consentSettingView is a practice's rule and the newest of each of its texts.
type consentSettingView struct {
	Rule  care.ConsentRule
	Rules []care.HoldersRule
	Ages  string // at which access is reviewed, as typed
	Texts []consentTextView
	Most  int
	Done  bool
}

// consentTextView is one kind's text to be read and changed; version 0 is our draft.
type consentTextView struct {
	Kind    care.ConsentKind
	Version int
	Since   string
	Words   []consentWords
	Open    bool
}

type consentWords struct{ Language, Field, Text string }

func (c *call) consentSettingModel(s app.ConsentSetting) consentSettingView {
	v := consentSettingView{Rule: s.Rule, Rules: care.HoldersRules(), Ages: care.AgesText(s.Rule.Reviews), Most: app.MaxConsentText}
	for _, k := range care.ConsentKinds() {
		newest, ok := care.Consents{Texts: s.Texts}.Newest(k)
		t := consentTextView{Kind: k, Version: newest.Version}
		if ok {
			t.Since = c.p.Date(c.at(newest.AtMillis))
		}
		for _, l := range app.Languages {
			text := newest.Words[l]
			if !ok {
				text = i18n.For(l).T("consent.draft." + string(k))
			}
			t.Words = append(t.Words, consentWords{l, "text-" + l, text})
		}
		v.Texts = append(v.Texts, t)
	}
	return v
}

func consentSettingPage(c *call) error {
	s, err := c.app().ConsentSetting(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	v := c.consentSettingModel(s)
	v.Done = c.r.URL.Query().Get("done") != ""
	return c.render(http.StatusOK, "consentsetting", v)
}

// setConsent changes the rule, or publishes a version of one text.
func setConsent(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	kind := care.ConsentKind(t.Get("kind"))
	rule := care.ConsentRule{Holders: care.HoldersRule(t.Get("holders")), OwnAge: number(t.Get("own_age")), AssentAge: number(t.Get("assent_age"))}
	var err error
	if kind == "" {
		if rule.Reviews, err = care.ReviewAges(t.Get("review_ages")); err == nil {
			err = c.app().SetConsentRule(c.r.Context(), c.by, rule)
		}
	} else {
		words := map[string]string{}
		for _, l := range app.Languages {
			words[l] = t.Get("text-" + l)
		}
		err = c.app().PublishConsentText(c.r.Context(), c.by, kind, words, number(t.Get("version")), t.Get("as") == "correction")
	}
	if err == nil {
		return c.redirect("/practice/consent?done=1")
	}
	s, lookErr := c.app().ConsentSetting(c.r.Context(), c.by)
	if lookErr != nil {
		return lookErr
	}
	v := c.consentSettingModel(s)
	if kind == "" {
		v.Rule, v.Ages = rule, t.Get("review_ages")
	}
	for i := range v.Texts {
		if x := &v.Texts[i]; x.Kind == kind {
			x.Open = true
			for j := range x.Words {
				x.Words[j].Text = t.Get(x.Words[j].Field)
			}
		}
	}
	return c.refuseConsent("consentsetting", v, err)
}

// refuseConsent shows a page again with what is wrong, also where somebody else was
// faster.
func (c *call) refuseConsent(page string, v any, err error) error {
	switch care.CodeOf(err) {
	case care.Invalid:
		return c.refuse(http.StatusUnprocessableEntity, page, v, err)
	case care.Conflict:
		return c.refuse(http.StatusConflict, page, v, err)
	}
	return err
}

// number is 0 for whatever is none; the use cases refuse what does not fit.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// consentView is a client's consents: a sentence, a row for each person, and what was
// said, the newest first.
type consentView struct {
	app.ConsentView
	Lead       string
	Lacks      []string
	Override   string // its reason, "" for none
	OverrideBy string
	People     []consentPerson
	Lines      []string
	Kinds      []care.ConsentKind
	States     []care.ConsentState
	Ways       []care.ConsentWay
	Languages  []string
	Capacities []care.Capacity // that nobody has yet
	Typed      app.NewConsent
	Name       string
	Born       string // as typed
	Link       string
	Plain      string
	QR         template.URL
	Until      string
}

// consentPerson is one of those who consent, and what they said to each kind.
type consentPerson struct {
	ID         care.ID
	Name, As   string
	ByLink     bool
	Said       []named
	Unanswered bool
}

func (c *call) consentModel(v app.ConsentView) consentView {
	m := consentView{ConsentView: v, Kinds: care.ConsentKinds(), Languages: app.Languages, Ways: []care.ConsentWay{care.OnPaper, care.InPerson},
		States: []care.ConsentState{care.Given, care.Refused, care.Withdrawn, care.Sole, care.CourtOrder}, Typed: app.NewConsent{Language: v.Client.Language}, Born: v.Birth.Born}
	m.Client.Label = c.nameOf(v.Client.Label, v.Client.ID)
	names := map[care.ID]string{v.Client.ID: m.Client.Label}
	m.People = append(m.People, c.consentPerson(v, v.Client.ID, care.AsClient, m.Client.Label))
	taken := map[care.Capacity]bool{}
	for _, h := range v.Holders {
		names[h.ID], taken[h.Capacity] = h.Name, true
		m.People = append(m.People, c.consentPerson(v, h.ID, h.Capacity, h.Name))
	}
	for _, as := range care.Capacities() {
		if !taken[as] {
			m.Capacities = append(m.Capacities, as)
		}
	}
	for _, g := range v.Gaps {
		m.Lacks = append(m.Lacks, c.p.T("consent.lacks."+string(g.What), "Who", names[g.Person]))
	}
	m.Lead = c.p.T("consent.lead." + consentLead(v))
	if o, ok := v.Consents.Override(); ok {
		m.Override, m.OverrideBy = o.Note, v.Staff[o.By]
	}
	for _, r := range slices.Backward(v.Records) {
		m.Lines = append(m.Lines, c.consentLine(v, r, names))
	}
	return m
}

// consentLead names the one sentence at the top.
func consentLead(v app.ConsentView) string {
	_, over := v.Consents.Override()
	switch {
	case !v.Minor():
		return "adult"
	case !v.InForce:
		return "off"
	case over:
		return "overridden"
	case len(v.Gaps) > 0:
		return "waits"
	}
	return "met"
}

func (c *call) consentPerson(v app.ConsentView, id care.ID, as care.Capacity, name string) consentPerson {
	p := consentPerson{ID: id, Name: name, As: c.p.T("consent.as." + string(as)), ByLink: as != care.AsCourt && len(v.Texts) > 0}
	for _, k := range care.ConsentsFor(as, v.Minor(), v.Rule.Alone(v.Consents)) {
		said := c.p.T("consent.said.nothing")
		if r, ok := v.Last(id, k); ok {
			said = c.p.T("consent.said."+string(r.State), "Day", c.p.Date(c.at(r.AtMillis)))
			if v.Outdated(r) {
				said += " · " + c.p.T("consent.outdated")
			}
		}
		p.Said = append(p.Said, named{c.p.T("consent.kind." + string(k)), said})
	}
	return p
}

func (c *call) consentLine(v app.ConsentView, r care.ConsentRecord, names map[care.ID]string) string {
	line := c.p.T("consent.line", "When", c.p.DateTime(c.at(r.AtMillis)), "Who", names[r.Person], "Kind", c.p.T("consent.kind."+string(r.Kind)), "State", c.p.T("consent.state."+string(r.State)))
	if r.Version > 0 {
		line += " · " + c.p.T("consent.version", "Version", r.Version, "Language", c.p.T("language."+r.Language))
	}
	line += " · " + c.p.T("consent.how."+string(r.How))
	if by := v.Staff[r.By]; by != "" {
		line += " · " + by
	}
	if r.Note != "" {
		line += " · " + r.Note
	}
	return line
}

func (c *call) consentOf() (consentView, error) {
	v, err := c.app().Consent(c.r.Context(), c.by, c.id())
	if err != nil {
		return consentView{}, err
	}
	return c.consentModel(v), nil
}

func consentPage(c *call) error {
	m, err := c.consentOf()
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "consent", m)
}

// changeConsent does what one of the page's forms asks.
func changeConsent(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t, ctx := c.r.PostForm, c.r.Context()
	in := app.NewConsent{Client: c.id(), Person: care.ID(t.Get("person")), Kind: care.ConsentKind(t.Get("kind")), State: care.ConsentState(t.Get("state")), How: care.ConsentWay(t.Get("how")), Language: t.Get("language"), Note: t.Get("note")}
	var err error
	switch t.Get("do") {
	case "holder":
		_, err = c.app().AddHolder(ctx, c.by, c.id(), care.Capacity(t.Get("capacity")), t.Get("name"))
	case "override":
		err = c.app().OverrideConsent(ctx, c.by, c.id(), true, t.Get("reason"))
	case "birth":
		err = c.app().SetBirth(ctx, c.by, c.id(), t.Get("born"))
	case "review":
		err = c.app().ReviewAccess(ctx, c.by, c.id())
	case "end":
		err = c.app().OverrideConsent(ctx, c.by, c.id(), false, "")
	case "link":
		return c.consentLink(in.Person)
	default:
		err = c.app().RecordConsent(ctx, c.by, in)
	}
	if err == nil {
		return c.redirect("/clients/" + string(c.id()) + "/consent")
	}
	if code := care.CodeOf(err); code != care.Invalid && code != care.Conflict {
		return err
	}
	m, lookErr := c.consentOf()
	if lookErr != nil {
		return lookErr
	}
	m.Typed, m.Name = in, t.Get("name")
	if t.Get("do") == "birth" {
		m.Born = t.Get("born")
	}
	if t.Get("do") == "override" {
		m.Typed.Note = t.Get("reason")
	}
	return c.refuseConsent("consent", m, err)
}

// consentLink shows a new link at once: it is not shown again.
func (c *call) consentLink(person care.ID) error {
	l, err := c.app().InviteToConsent(c.r.Context(), c.by, c.id(), person)
	if err != nil && care.CodeOf(err) != care.Invalid {
		return err
	}
	m, lookErr := c.consentOf()
	if lookErr != nil {
		return lookErr
	}
	if err != nil {
		return c.refuseConsent("consent", m, err)
	}
	m.Link, m.Plain = c.s.cfg.BaseURL+"/form/text#"+l.Token, c.s.cfg.BaseURL+"/form/text/"+l.Token
	m.Until = c.p.DateTime(c.at(l.Expires))
	if m.QR, err = qr(m.Link); err != nil {
		return err
	}
	return c.render(http.StatusOK, "consent", m)
}

// isWaiting reports whether a minor's questions are not open.
func isWaiting(err error) bool {
	e, ok := errors.AsType[*care.Error](err)
	return ok && e.Key == "consent.waiting"
}

// waiting is the calm page of a link whose questions are not open.
func (c *call) waiting() error {
	locked, err := c.inKiosk()
	if err != nil {
		return err
	}
	return c.render(http.StatusForbidden, "form-waiting", receiptView{Kiosk: locked})
}

// reviews are those with a name for each.
func (c *call) reviews(all []app.ReviewDue) []app.ReviewDue {
	for i := range all {
		all[i].Label = c.nameOf(all[i].Label, all[i].Client)
	}
	return all
}
