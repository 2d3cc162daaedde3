// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

type accountCommand struct {
	List    accountList    `cmd:"" help:"Print the accounts of staff and whether each has a second factor."`
	Recover accountRecover `cmd:"" help:"Let somebody in again who has lost everything and whom no manager can help: ends their sign-ins, takes their second factor away, and prints a link to choose a password."`
}

type accountList struct {
	place `embed:""`
}

// Run prints one line for each account.
func (c *accountList) Run(ctx context.Context) error {
	return c.withApp(ctx, func(a *app.App) error {
		all, err := a.Accounts(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, x := range all {
			var roles []string
			for _, r := range x.Roles {
				roles = append(roles, string(r))
			}
			second := "no second factor"
			switch {
			case x.Ended:
				second = "ended"
			case !x.Joined:
				second = "has not joined yet"
			case x.Second:
				second = "second factor"
			}
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.Email, strings.Join(roles, ","), second, x.Practice); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

type accountRecover struct {
	place     `embed:""`
	mailFlags `embed:""`
	Email     string `arg:"" help:"The account's mail address."`
	Reason    string `help:"Why, in a sentence; the person reads it, and it is kept." required:""`
	Base      string `name:"base-url" help:"The address people reach the server by, for the link." required:""`
}

// Run prints the link, which opens once and for a day.
func (c *accountRecover) Run(ctx context.Context) (err error) {
	base := strings.TrimSuffix(c.Base, "/")
	m, err := c.mailer(base)
	if err != nil {
		return err
	}
	_, s, err := c.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return c.recover(ctx, s, m, base, os.Stdout)
}

func (c *accountRecover) recover(ctx context.Context, s *store.Store, m app.Mailer, base string, out io.Writer) error {
	a := app.New(s, app.Config{Mail: m, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	link, err := a.RecoverAccount(ctx, c.Email, c.Reason)
	if e, ok := errors.AsType[*care.Error](err); ok {
		switch {
		case e.Code == care.NotFound:
			return fmt.Errorf("there is no account with the address %s; entente account list prints all", c.Email)
		case e.Key == "help.reason_short":
			return errors.New("--reason: say in a sentence why; the person will read it")
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s/join/%s\nopens once, until %s; whoever has it chooses the password of %s\n", base, link.Token, time.UnixMilli(link.Expires).UTC().Format(time.RFC3339), c.Email)
	return err
}
