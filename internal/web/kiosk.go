// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"
)

// kioskView is the page that gives the device back to the therapist.
type kioskView struct{}

func kioskPage(c *call) error {
	if !c.me.Kiosk {
		return c.redirect("/today")
	}
	return c.render(http.StatusOK, "kiosk", kioskView{})
}

// leaveKiosk unlocks with the PIN. The use case counts wrong ones and ends the
// sign-in after the fifth; the next request then meets the sign-in page.
func leaveKiosk(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	pin := strings.TrimSpace(c.r.PostForm.Get("pin"))
	if err := c.app().LeaveKiosk(c.r.Context(), c.cookie(staffCookie), pin); err != nil {
		return c.again("kiosk", kioskView{}, err)
	}
	c.dropCookie(visitCookie)
	c.dropCookie(receiptCookie)
	return c.redirect("/today")
}

// inKiosk reports whether this browser is a therapist's, handed to a client.
func (c *call) inKiosk() (bool, error) {
	token := c.cookie(staffCookie)
	if token == "" {
		return false, nil
	}
	me, err := c.app().Authenticate(c.r.Context(), token)
	if err != nil {
		return false, ignoreMissing(err)
	}
	return me.Kiosk, nil
}
