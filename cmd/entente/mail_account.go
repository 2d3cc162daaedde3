// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"

	"github.com/entente-project/entente/internal/i18n"
)

// SendPasswordLink mails the link by which a member of staff chooses a password.
func (m *smtpMailer) SendPasswordLink(ctx context.Context, to, language, token string) error {
	p := i18n.For(language)
	return m.send(ctx, to, p.T("mail.password.subject"), p.T("mail.password.body", "Link", m.baseURL+"/join/"+token))
}

// SendAccountNotice tells a member of staff that how they sign in was changed;
// what and why stands on their own page.
func (m *smtpMailer) SendAccountNotice(ctx context.Context, to, language string) error {
	p := i18n.For(language)
	return m.send(ctx, to, p.T("mail.account.subject"), p.T("mail.account.body", "Link", m.baseURL+"/account"))
}
