// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Commands are the commands under `entente stats`, for kong.
type Commands struct {
	Meta       MetaCommand       `cmd:"" help:"Meta-analysis: pool effect sizes; moderators, levels, robust errors, bias, influence."`
	Lmm        LmmCommand        `cmd:"" name:"lmm" help:"Linear mixed model, with a formula as lme4 writes it."`
	Alpha      AlphaCommand      `cmd:"" help:"Cronbach's alpha of a scale, item by item."`
	Omega      OmegaCommand      `cmd:"" help:"McDonald's omega, total and hierarchical."`
	ICC        ICCCommand        `cmd:"" name:"icc" help:"The six intraclass correlations of Shrout and Fleiss."`
	Kappa      KappaCommand      `cmd:"" help:"Cohen's kappa of two raters, plain or weighted."`
	Polychoric PolychoricCommand `cmd:"" help:"Polychoric correlations of ordered items."`
	CFA        CFACommand        `cmd:"" name:"cfa" help:"Confirmatory factor analysis, with a model as lavaan writes it."`
	IRT        IRTCommand        `cmd:"" name:"irt" help:"Graded response model of ordered items."`
	APIM       APIMCommand       `cmd:"" name:"apim" help:"Actor-partner interdependence model of dyads."`
	TruthBias  TruthBiasCommand  `cmd:"" name:"truthbias" help:"Truth and bias: how one rater's judgment follows another's."`
	Surface    SurfaceCommand    `cmd:"" help:"Response surface of two ratings, with its five tests."`
	RCI        RCICommand        `cmd:"" name:"rci" help:"Reliable and clinically significant change; control charts."`
	Outcome    OutcomeCommand    `cmd:"" help:"Each person's change over sessions: reliable, sudden, and as expected."`
	Falls      FallsCommand      `cmd:"" help:"How often rules ask about a fall in your own courses, and whether they agree."`
}

// Streams are the places that a command reads from and writes to.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// UsageError is a wrong call: flags that do not fit each other. The program ends
// with code 2, and with 1 for any other error.
type UsageError struct{ Text string }

// Error is one sentence.
func (e *UsageError) Error() string { return e.Text }

func wrongUse(format string, a ...any) error {
	return &UsageError{Text: fmt.Sprintf(format, a...)}
}

// ErrStopped says that the person interrupted the work.
var ErrStopped = errors.New("stopped; nothing was written")

// Output says what is to come of an analysis.
type Output struct {
	JSON    bool    `name:"json" help:"Print JSON: every number with all its digits, keys that stay." group:"Output"`
	RCode   bool    `name:"r-code" help:"Print the R code of the same analysis instead of doing it; --r does the same." group:"Output"`
	Picture string  `help:"Draw into this file, .svg or .png." placeholder:"FILE" group:"Output"`
	Plot    string  `help:"Which picture to draw; --plot list names those that there are." placeholder:"NAME" group:"Output"`
	Out     string  `short:"o" help:"Write the result into this file instead of printing it." placeholder:"FILE" group:"Output"`
	Digits  int     `default:"4" help:"Digits after the point in tables." group:"Output"`
	Level   float64 `default:"0.95" help:"Level of confidence intervals." group:"Output"`
}

func (o Output) check() error {
	if o.Digits < 0 || o.Digits > 15 {
		return wrongUse("--digits is %d; give 0 to 15", o.Digits)
	}
	if !(o.Level > 0 && o.Level < 1) {
		return wrongUse("--level is %g; give a number between 0 and 1, such as 0.95", o.Level)
	}
	if e := strings.ToLower(filepath.Ext(o.Picture)); o.Picture != "" && e != ".svg" && e != ".png" {
		return wrongUse("--picture %s: the name must end in .svg or .png", o.Picture)
	}
	if o.JSON && o.RCode {
		return wrongUse("--json and --r exclude each other")
	}
	return nil
}

// Plain is the output of a command in which --r can mean nothing but R code.
type Plain struct {
	Output `embed:""`
	R      bool `name:"r" hidden:""`
}

// output makes --r and --r-code one.
func (p *Plain) output() Output {
	p.RCode = p.RCode || p.R
	return p.Output
}

// work is one analysis: it returns its document, and says now and then how far it
// is.
type work func(ctx context.Context, progress func(string)) (*Document, error)

// run does the work apart, so that an interruption is heard at once whatever is
// being computed, and writes only when everything is there.
func (o Output) run(ctx context.Context, s *Streams, code func() (string, error), do work) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.RCode {
		text, err := code()
		if err != nil {
			return err
		}
		return o.write(s, []byte(text))
	}
	d, err := waitFor(ctx, s.Err, do)
	if err != nil {
		return err
	}
	if o.Plot == "list" {
		return o.write(s, []byte(strings.Join(d.plots(), "\n")+"\n"))
	}
	var drawn []byte
	if o.Picture != "" || o.Plot != "" {
		if drawn, err = d.draw(o.Plot, o.Picture); err != nil {
			return err
		}
	}
	text := d.Text(o.Digits)
	if o.JSON {
		if text, err = d.JSON(); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ErrStopped
	}
	if drawn != nil {
		if err := writeFile(o.Picture, drawn); err != nil {
			return err
		}
	}
	return o.write(s, text)
}

func (o Output) write(s *Streams, text []byte) error {
	if o.Out != "" {
		return writeFile(o.Out, text)
	}
	if _, err := s.Out.Write(text); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// errOwnFault is what a panic of a model becomes.
var errOwnFault = errors.New("this is a fault of the program, not of the data")

// patience is how long an analysis may be silent.
const patience = time.Second

func waitFor(ctx context.Context, to io.Writer, do work) (*Document, error) {
	type outcome struct {
		d   *Document
		err error
	}
	done := make(chan outcome, 1)
	said := make(chan string, 16)
	go func() {
		var o outcome
		defer func() {
			if p := recover(); p != nil {
				o = outcome{err: fmt.Errorf("%w: %v; please report it with the command line", errOwnFault, p)}
			}
			done <- o
		}()
		o.d, o.err = do(ctx, func(text string) {
			select {
			case said <- text:
			default: // a later word will tell the same
			}
		})
	}()
	tick := time.NewTicker(patience)
	defer tick.Stop()
	began, doing, spoke := time.Now(), "computing", false
	for {
		select {
		case r := <-done:
			if spoke {
				_, _ = fmt.Fprintf(to, "\r\x1b[K")
			}
			if r.err != nil && ctx.Err() != nil {
				return nil, ErrStopped
			}
			return r.d, r.err
		case doing = <-said:
		case <-tick.C:
			spoke = true
			_, _ = fmt.Fprintf(to, "\r\x1b[K%s, %d s", doing, int(time.Since(began).Seconds()))
		case <-ctx.Done():
			return nil, ErrStopped
		}
	}
}

// writeFile writes a file whole or not at all: under another name first.
func writeFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".entente-*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s cannot be written: %w", path, err), f.Close())
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	if _, err = io.Copy(f, bytes.NewReader(text)); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Chmod(mode(path)); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// mode keeps the permissions of a file that is replaced; a new one is the
// owner's alone, as results may be about people.
func mode(path string) os.FileMode {
	if was, err := os.Stat(path); err == nil {
		return was.Mode().Perm()
	}
	return 0o600
}
