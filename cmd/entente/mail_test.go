// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// postOffice is a real mail server on this machine that keeps what it is sent.
type postOffice struct {
	refuse bool
	got    chan letter
}

type letter struct{ from, to, text, hello string }

// delivery is one connection to the post office.
type delivery struct {
	office *postOffice
	letter letter
}

func (p *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &delivery{office: p, letter: letter{hello: c.Hostname()}}, nil
}

func (d *delivery) Reset()        {}
func (d *delivery) Logout() error { return nil }
func (d *delivery) Mail(from string, _ *smtp.MailOptions) error {
	d.letter.from = from
	return nil
}

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	if d.office.refuse {
		return &smtp.SMTPError{Code: 550, Message: to + " is no mailbox"}
	}
	d.letter.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	d.letter.text = string(text)
	d.office.got <- d.letter
	return err
}

func openPostOffice(t *testing.T) (*postOffice, string) {
	t.Helper()
	p := &postOffice{got: make(chan letter, 100)}
	s := smtp.NewServer(p)
	s.Domain = "localhost"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := s.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, l.Addr().String()
}

// TestMailInvitation sends a client's link through a real mail server: neutral,
// in the client's language, and with a link that opens the form.
func TestMailInvitation(t *testing.T) {
	t.Parallel()
	office, address := openPostOffice(t)
	m, err := newMailer(mailFlags{SMTP: address, SMTPFrom: "check@example.org", SMTPSecurity: "none"}, "https://check.example.org")
	if err != nil {
		t.Fatal(err)
	}
	d := serveDemo(t, "en")
	log := &safeBuffer{}
	a := app.New(d.store, app.Config{Mail: m, Log: slog.New(slog.NewJSONHandler(log, nil))})
	me, err := a.Authenticate(t.Context(), d.links.therapist)
	if err != nil {
		t.Fatal(err)
	}
	today, err := a.Today(t.Context(), me.Actor)
	if err != nil {
		t.Fatal(err)
	}
	session := care.ID("")
	for _, s := range today.Sessions {
		if s.Client.Label == "Ines" {
			session = s.Session.ID
		}
	}
	if err := a.MailInvitation(t.Context(), me.Actor, session); err != nil {
		t.Fatal(err)
	}
	got := <-office.got
	msg, err := mail.ReadMessage(strings.NewReader(got.text))
	if err != nil {
		t.Fatal(err)
	}
	if got.to != "ines@example.org" || got.from != "check@example.org" || msg.Header.Get("Subject") != "A short check" {
		t.Errorf("from %q to %q, subject %q", got.from, got.to, msg.Header.Get("Subject"))
	}
	for _, private := range []string{"Ines", "Aurora", "Neri", "therap", "Entente"} {
		if strings.Contains(strings.ReplaceAll(got.text, "ines@example.org", ""), private) {
			t.Errorf("the mail says %q:\n%s", private, got.text)
		}
	}
	_, token, ok := strings.Cut(got.text, "https://check.example.org/f#")
	if !ok {
		t.Fatalf("no link in\n%s", got.text)
	}
	if _, err := a.OpenInvitation(t.Context(), token[:26]); err != nil {
		t.Errorf("the mailed link does not open: %v", err)
	}
	office.refuse = true
	if err := a.MailInvitation(t.Context(), me.Actor, session); care.CodeOf(err) != care.Unavailable {
		t.Errorf("a refused mail gives %v", err)
	}
	if text := log.String(); !strings.Contains(text, "it answered 550") || strings.Contains(text, "ines@") {
		t.Errorf("the log says, of a mail that was refused with its address: %s", text)
	}
}

// TestMailIsNotSentOpenly: without protection only to this machine.
func TestMailIsNotSentOpenly(t *testing.T) {
	t.Parallel()
	for _, f := range []mailFlags{
		{SMTP: "mail.example.org:25", SMTPFrom: "check@example.org", SMTPSecurity: "none"},
		{SMTP: "mail.example.org", SMTPFrom: "check@example.org", SMTPSecurity: "tls"},
		{SMTP: "mail.example.org:587", SMTPSecurity: "starttls"},
	} {
		if _, err := newMailer(f, "https://check.example.org"); err == nil {
			t.Errorf("%+v was accepted", f)
		}
	}
}
