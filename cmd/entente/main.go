// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/entente-project/entente/internal/analysis"
	"github.com/entente-project/entente/internal/care"
)

// version is stamped by the build.
var version = "dev"

type commands struct {
	Serve      serveCommand      `cmd:"" help:"Serve a practice. The first page at the first start sets it up."`
	Demo       demoCommand       `cmd:"" help:"Serve an invented practice, to look around in."`
	Import     importCommand     `cmd:"" help:"Bring earlier ratings from a CSV file."`
	Instrument instrumentCommand `cmd:"" help:"Forms, keys of published instruments, and scoring."`
	Account    accountCommand    `cmd:"" help:"The accounts of staff, and the way back for whoever has lost everything."`
	Audit      auditCommand      `cmd:"" help:"The log of who read and changed what."`
	Backup     backupCommand     `cmd:"" help:"Make an encrypted backup now, while the server runs."`
	Restore    restoreCommand    `cmd:"" help:"Restore a backup to a place where there is nothing yet."`
	Check      checkCommand      `cmd:"" help:"Open every sealed value, and name each that was altered or moved. May run beside a server."`
	Db         dbCommand         `cmd:"" name:"db" help:"Work on whole databases."`
	BackupKey  backupKeyCommand  `cmd:"" help:"Make the pair of keys that backups are encrypted to."`
	Client     clientCommand     `cmd:"" help:"What is done with one client by the operator."`
	Key        keyCommand        `cmd:"" help:"The keys that everything is sealed under: list, exchange, lock."`
	Simulate   simulateCommand   `cmd:"" help:"Set rules that notice a fall against each other, on drawn courses and at the same chance of a false alarm."`
	Stats      analysis.Commands `cmd:"" help:"Analyse a table: meta-analysis, mixed models, reliability, factor models, change."`
	Version    kong.VersionFlag  `help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	k := kong.Parse(&c, kong.Name("entente"), kong.Description("Measure, show and help to mend the therapeutic alliance."),
		kong.Vars{"version": version}, kong.BindTo(ctx, (*context.Context)(nil)), kong.DefaultEnvars("ENTENTE"),
		statsWithoutEnvironment(), kong.Bind(streams()), kong.Exit(exit))
	if err := k.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "entente: "+sentence(err))
		os.Exit(codeOf(err)) //nolint:gocritic // stop only restores signals
	}
}

// sentence is an error as a person at a terminal should read it.
func sentence(err error) string {
	var e *care.Error
	if errors.As(err, &e) {
		if text := e.Args["text"]; text != "" {
			return e.Args["file"] + ": " + text
		}
		switch {
		case e.Code == care.Forbidden:
			return "this account may not do that; a manager may"
		case e.Code == care.Unavailable:
			return "the database cannot be written now; nothing was changed (" + err.Error() + ")"
		}
	}
	return err.Error()
}
