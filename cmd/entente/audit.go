// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

type auditCommand struct {
	Head   auditHead   `cmd:"" help:"Print the head of each practice's audit, to be noted outside."`
	Verify auditVerify `cmd:"" help:"Check every line of the audit and name the first that was altered, removed or cut."`
}

type auditHead struct {
	place `embed:""`
}

// Run prints one line for each practice: the time, the practice, its head.
func (c *auditHead) Run(ctx context.Context) error {
	return c.withApp(ctx, func(a *app.App) error {
		lines, err := headLines(ctx, a)
		fmt.Print(lines)
		return err
	})
}

type auditVerify struct {
	place `embed:""`
	Heads string `help:"File with heads noted earlier, as printed by audit head or kept by serve --anchor." type:"existingfile"`
}

// Run says how many lines hold, or which is the first that does not.
func (c *auditVerify) Run(ctx context.Context) error {
	heads, err := readHeads(c.Heads)
	if err != nil {
		return err
	}
	return c.withApp(ctx, func(a *app.App) error {
		states, err := a.VerifyAudit(ctx, heads)
		if err != nil {
			return err
		}
		var faults error
		for _, s := range states {
			if s.Fault != nil {
				faults = errors.Join(faults, s.Fault)
				continue
			}
			fmt.Printf("practice %s: %d lines hold, %d noted heads are in them\n", s.Practice, s.Lines, len(heads[s.Practice]))
			delete(heads, s.Practice)
		}
		return faults
	})
}

// withApp opens an existing database for one command.
func (p place) withApp(ctx context.Context, do func(*app.App) error) (err error) {
	_, s, err := p.open(ctx, false, store.ReadOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(app.New(s, app.Config{}))
}

func headLines(ctx context.Context, a *app.App) (string, error) {
	states, err := a.AuditHeads(ctx)
	var b strings.Builder
	for _, s := range states {
		fmt.Fprintf(&b, "%s %s %s\n", time.Now().UTC().Format(time.RFC3339), s.Practice, s.Head)
	}
	return b.String(), err
}

// readHeads reads lines as headLines writes them.
func readHeads(path string) (map[care.ID][]string, error) {
	out := map[care.ID][]string{}
	if path == "" {
		return out, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s, line %d: a noted head has a time, a practice and the head itself", path, n)
		}
		out[care.ID(fields[1])] = append(out[care.ID(fields[1])], fields[2])
	}
	return out, lines.Err()
}

// anchorEvery is how much of the audit could be cut unnoticed by somebody who
// can change the database and its heads.
const anchorEvery = time.Hour

// anchorAudit notes the head of the audit at the start, each hour and at the end.
func anchorAudit(ctx context.Context, a *app.App, file string, log *slog.Logger) {
	note := func() {
		if err := appendHeads(context.WithoutCancel(ctx), a, file, log); err != nil {
			log.Error("the head of the audit could not be noted", "err", err)
		}
	}
	note()
	tick := time.NewTicker(anchorEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			note()
		case <-ctx.Done():
			return
		}
	}
}

func appendHeads(ctx context.Context, a *app.App, file string, log *slog.Logger) (err error) {
	lines, err := headLines(ctx, a)
	if err != nil || lines == "" {
		return err
	}
	for line := range strings.Lines(lines) {
		log.Info("head of the audit", "head", strings.TrimSpace(line))
	}
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.WriteString(lines); err != nil {
		return err
	}
	return f.Sync()
}
