// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

type clientCommand struct {
	Erase clientErase `cmd:"" help:"Erase a person for good, from earlier backups too. With SQLite the server must be stopped; its page Erase a person needs no stop."`
}

type clientErase struct {
	place  `embed:""`
	Name   string `arg:"" help:"The client's name or reference, in full, as the practice writes it."`
	Reason string `help:"Why: asked (the person asked for it), kept (the time for which it had to be kept is over), mistake (should never have been entered)." enum:"asked,kept,mistake" required:""`
	As     string `help:"E-mail address of the manager in whose name it is done; needed if there are several."`
}

// Run says what would go, and erases once the name was typed again.
func (c *clientErase) Run(ctx context.Context) (err error) {
	_, s, err := c.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	actor, err := managerNamed(ctx, s, c.As)
	if err != nil {
		return err
	}
	a := app.New(s, app.Config{})
	ask, err := a.AskErasure(ctx, actor, c.Name)
	if err != nil {
		return erasureSentence(err)
	}
	h := ask.Goes
	fmt.Printf("%s: %d answered forms, %d notes, %d sessions and %d courses of therapy would be deleted, and the key to all of it in every backup.\n", ask.Label, h.Responses, h.Notes, h.Sessions, h.Episodes)
	if h.Shared > 0 {
		fmt.Printf("%d courses shared with others stay for them.\n", h.Shared)
	}
	fmt.Print("This cannot be undone. Type the name again to erase: ")
	typed, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := a.EraseClient(ctx, actor, app.Erase{Client: ask.Client, Name: strings.TrimSpace(typed), Reason: care.ErasureReason(c.Reason)}); err != nil {
		return erasureSentence(err)
	}
	fmt.Println("erased: the rows are deleted and the key is destroyed")
	return nil
}

// erasureSentence says what a page would say.
func erasureSentence(err error) error {
	e, ok := errors.AsType[*care.Error](err)
	if !ok {
		return err
	}
	switch e.Key {
	case "emergency.nobody":
		return errors.New("nobody is called that here; write the name in full, as the practice does")
	case "emergency.several":
		return errors.New("several people are called that; use the reference by which the practice knows this person")
	case "erasure.other_name":
		return errors.New("that is another name; nothing was erased")
	case "erasure.not_destroyed":
		return fmt.Errorf("the rows are deleted, but the key could not be destroyed; put the folders of shares in order and start the server, which tries again: %w", err)
	}
	return err
}
