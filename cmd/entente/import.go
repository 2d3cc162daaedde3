// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

type importCommand struct {
	place  `embed:""`
	File   string `arg:"" help:"CSV file with one row for each rating." type:"existingfile"`
	Map    string `help:"YAML file that says what the columns mean." required:"" type:"existingfile"`
	As     string `help:"E-mail address of the manager in whose name ratings are brought; needed if there are several."`
	DryRun bool   `help:"Only say what would be done."`
}

// Run imports the file, or says by line and column why not.
func (c *importCommand) Run(ctx context.Context) error {
	text, err := os.ReadFile(c.Map)
	if err != nil {
		return err
	}
	m, err := app.ParseImportMap(c.Map, text)
	if err != nil {
		return err
	}
	_, s, err := c.open(ctx, false)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // what was written is durable already
	actor, err := managerNamed(ctx, s, c.As)
	if err != nil {
		return err
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	src := app.ImportSource{Name: filepath.Base(c.File), Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(c.File) }}
	a := app.New(s, app.Config{})
	do := a.Import
	if c.DryRun {
		do = a.PreviewImport
	}
	plan, err := do(ctx, actor, m, src, progress(ctx))
	fmt.Fprint(os.Stderr, "\r\033[K")
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped; nothing was imported")
	}
	if err != nil {
		return err
	}
	return c.report(plan)
}

func (c *importCommand) report(p app.ImportPlan) error {
	for _, x := range p.Problems {
		fmt.Println(x.Text)
	}
	if p.Total > 0 {
		more := ""
		if p.Total > len(p.Problems) {
			more = fmt.Sprintf(" (the first %d are shown)", len(p.Problems))
		}
		return fmt.Errorf("%s: %d problems%s; nothing was imported", p.File, p.Total, more)
	}
	done := "imported"
	if c.DryRun {
		done = "would import"
	}
	fmt.Printf("%s: %s, %d rows; %s %d ratings (%d new clients, %d new sessions); %d known already, %d without an answer\n",
		p.File, p.Encoding, p.Rows, done, p.Responses, p.Clients, p.Sessions, p.Known, p.Skipped)
	return nil
}

// managerNamed is the manager in whose name a command acts; as is an address, ""
// where there is only one.
func managerNamed(ctx context.Context, s *store.Store, as string) (actor care.Actor, err error) {
	var managers []care.Staff
	err = s.Read(ctx, func(t *store.Tx) error {
		ps, err := t.Practices()
		for _, p := range ps {
			all, err := t.AllStaff(p.ID)
			if err != nil {
				return err
			}
			for _, x := range all {
				if slices.Contains(x.Roles, care.Manager) && (as == "" || strings.EqualFold(x.Email, as)) {
					managers = append(managers, x)
				}
			}
		}
		return err
	})
	if err != nil {
		return actor, err
	}
	if len(managers) != 1 {
		return actor, fmt.Errorf("there are %d managers to choose from; say which by --as ADDRESS", len(managers))
	}
	x := managers[0]
	return care.Actor{Practice: x.Practice, Staff: x.ID, Roles: x.Roles, Language: x.Language}, nil
}

// progress prints a line on anything that takes longer than a second, and stops
// when the person interrupts.
func progress(ctx context.Context) app.Progress {
	start := time.Now()
	last := start
	return func(stage string, done, total int64) error {
		if now := time.Now(); now.Sub(start) > time.Second && now.Sub(last) > 200*time.Millisecond {
			last = now
			if total > 0 {
				fmt.Fprintf(os.Stderr, "\r\033[K%s: %d %%", stage, 100*done/total)
			} else {
				fmt.Fprintf(os.Stderr, "\r\033[K%s: %d", stage, done)
			}
		}
		return ctx.Err()
	}
}
