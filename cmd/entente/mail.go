// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/entente-project/entente/internal/i18n"
)

type mailFlags struct {
	SMTP         string `help:"Mail server that sends links to clients, as HOST:PORT."`
	SMTPFrom     string `help:"Sender of mails. Choose a neutral one." name:"smtp-from"`
	SMTPUser     string `help:"User name at the mail server." name:"smtp-user"`
	SMTPPassword string `help:"Password at the mail server; best given by the environment." name:"smtp-password" env:"ENTENTE_SMTP_PASSWORD"`
	SMTPSecurity string `help:"starttls, tls, or none (only for a mail server on this machine)." name:"smtp-security" enum:"starttls,tls,none" default:"starttls"`
}

// smtpMailer sends one neutral message: no name, no practice, no answer in it.
type smtpMailer struct {
	client  *mail.Client
	from    string
	domain  string // of from; what a mail would otherwise say is the name of this machine
	baseURL string
}

func newMailer(f mailFlags, baseURL string) (*smtpMailer, error) {
	host, portText, err := net.SplitHostPort(f.SMTP)
	if err != nil {
		return nil, fmt.Errorf("--smtp: %q is not HOST:PORT", f.SMTP)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("--smtp: %q is not a port", portText)
	}
	if f.SMTPFrom == "" {
		return nil, fmt.Errorf("--smtp-from: say from which address mails are sent")
	}
	from, err := netmail.ParseAddress(f.SMTPFrom)
	if err != nil {
		return nil, fmt.Errorf("--smtp-from: %q is not an address", f.SMTPFrom)
	}
	domain := from.Address[strings.LastIndex(from.Address, "@")+1:]
	opts := []mail.Option{mail.WithPort(port), mail.WithTimeout(15 * time.Second), mail.WithHELO(domain)}
	switch f.SMTPSecurity {
	case "tls":
		opts = append(opts, mail.WithSSL())
	case "none":
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fmt.Errorf("--smtp-security none: links would travel unprotected to %s; use starttls or tls", host)
		}
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if f.SMTPUser != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(f.SMTPUser), mail.WithPassword(f.SMTPPassword))
	}
	c, err := mail.NewClient(host, opts...)
	if err != nil {
		return nil, fmt.Errorf("--smtp: %w", err)
	}
	return &smtpMailer{client: c, from: f.SMTPFrom, domain: domain, baseURL: baseURL}, nil
}

// SendNotice tells a member of staff that something waits on their own page; what
// it is, and about whom, is not said.
func (m *smtpMailer) SendNotice(ctx context.Context, to, language string) error {
	p := i18n.For(language)
	return m.send(ctx, to, p.T("mail.notice.subject"), p.T("mail.notice.body", "Link", m.baseURL+"/today"))
}

// SendAlarm tells a member of staff that their page wants to be read now, or that
// the way of such a mail is tried; nothing else is said.
func (m *smtpMailer) SendAlarm(ctx context.Context, to, language string, test bool) error {
	p, kind := i18n.For(language), "mail.alarm"
	if test {
		kind = "mail.test"
	}
	return m.send(ctx, to, p.T(kind+".subject"), p.T(kind+".body", "Link", m.baseURL+"/today"))
}

// SendLink sends the link in the person's language.
func (m *smtpMailer) SendLink(ctx context.Context, to, language, token string) error {
	p := i18n.For(language)
	return m.send(ctx, to, p.T("mail.subject"), p.T("mail.body", "Link", m.baseURL+"/f#"+token, "Plain", m.baseURL+"/f/"+token))
}

func (m *smtpMailer) send(ctx context.Context, to, subject, body string) error {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.SetMessageIDWithValue(rand.Text() + "@" + m.domain)
	if err := msg.From(m.from); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	if err := msg.To(to); err != nil {
		return errors.New("the recipient's address is not one") // the library's error repeats it
	}
	msg.Subject(subject)
	msg.SetBodyString(mail.TypeTextPlain, body)
	if err := m.client.DialAndSendWithContext(ctx, msg); err != nil {
		return unaddressed(err)
	}
	return nil
}

// unaddressed is what a mail server refused, for the log: its numbers without its
// words, which name the recipient.
func unaddressed(err error) error {
	refused, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return fmt.Errorf("mail server: %w", err)
	}
	if code := strings.TrimSpace(strconv.Itoa(refused.ErrorCode()) + " " + refused.EnhancedStatusCode()); code != "0" {
		return fmt.Errorf("mail server: it answered %s while %s", code, refused.Reason)
	}
	return fmt.Errorf("mail server: no answer while %s", refused.Reason)
}
