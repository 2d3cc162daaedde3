// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// textsView is what one person reads and decides, and nothing of anybody else.
type textsView struct{ Texts []ownText }

type ownText struct {
	app.OwnConsent
	Lines    []string // paragraphs
	Language string
	When     string
	Choices  []care.ConsentState
}

// openTextPage has no effect, so that a program that only looks at links uses none up.
func openTextPage(c *call) error {
	return c.render(http.StatusOK, "consent-open", openView{Token: c.r.PathValue("token")})
}

func openText(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	var link app.Link
	err := c.guess(func() (err error) {
		link, err = c.app().OpenConsentLink(c.r.Context(), tokenIn(c.r.PostForm.Get("token")))
		return err
	})
	if err != nil {
		return err
	}
	c.setCookie(textsCookie, link.Token, time.Time{}, http.SameSiteStrictMode)
	return c.redirect("/form/texts")
}

// admitConsenter lets in whoever came by a link of their own.
func (c *call) admitConsenter() error {
	by, err := c.app().Consenter(c.r.Context(), c.cookie(textsCookie))
	if err != nil {
		return err
	}
	c.by = by
	if i18n.Known(by.Language) {
		c.p = i18n.For(by.Language)
	}
	return nil
}

func (c *call) textsModel() (v textsView, err error) {
	all, err := c.app().OwnConsents(c.r.Context(), c.by)
	if err != nil {
		return v, err
	}
	for _, o := range all {
		text, in := o.Text.In(c.p.Lang())
		x := ownText{OwnConsent: o, Lines: strings.Split(text, "\n\n"), Language: in, Choices: []care.ConsentState{care.Given, care.Refused}}
		if o.Said != "" {
			x.When = c.p.Date(time.UnixMilli(o.AtMillis).UTC())
		}
		if o.Kind == care.DataNotice { // a notice is read, not agreed to
			x.Choices = []care.ConsentState{care.Given}
		}
		if !o.Anew {
			switch o.Said {
			case care.Given, care.Sole:
				x.Choices = []care.ConsentState{care.Withdrawn}
				if o.Kind == care.DataNotice {
					x.Choices = nil
				}
			case care.Refused, care.Withdrawn:
				x.Choices = []care.ConsentState{care.Given}
			}
		}
		v.Texts = append(v.Texts, x)
	}
	return v, nil
}

func textsPage(c *call) error {
	v, err := c.textsModel()
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "consent-own", v)
}

func answerText(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	err := c.app().AnswerConsent(c.r.Context(), c.by, care.ConsentKind(t.Get("kind")), number(t.Get("version")), t.Get("language"), care.ConsentState(t.Get("state")))
	if err == nil {
		return c.redirect("/form/texts")
	}
	if care.CodeOf(err) != care.Conflict && care.CodeOf(err) != care.Invalid {
		return err
	}
	v, lookErr := c.textsModel()
	if lookErr != nil {
		return lookErr
	}
	return c.refuseConsent("consent-own", v, err)
}

// leaveTexts ends the visit and goes where nothing tells what had been here.
func leaveTexts(c *call) error {
	by, err := c.app().Consenter(c.r.Context(), c.cookie(textsCookie))
	if err == nil {
		err = c.app().EndConsentVisit(c.r.Context(), by)
	}
	if err := ignoreMissing(err); err != nil {
		return err
	}
	c.dropCookie(textsCookie)
	return c.redirect("/blank")
}
