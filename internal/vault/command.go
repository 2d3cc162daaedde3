// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// ErrCommand is matched by every failure of a key service's command.
var ErrCommand = errors.New("vault: the command of the key service failed")

const (
	commandTimeout = 30 * time.Second
	commandGrace   = time.Second
)

// CommandLine says how to reach a key service: a program and its arguments for
// each direction, started without a shell. Wrap is given the 32 bytes of the
// lock key on its standard input and answers with what the service made of
// them; Unwrap is given that and answers with the same 32 bytes, raw, with
// nothing before or after. Nothing secret is in the arguments or the
// environment; both inherit the environment of this program.
type CommandLine struct {
	Wrap   []string // needed to create or change a key file
	Unwrap []string
	// Timeout ends a command that does not answer; 0 is 30 seconds.
	Timeout time.Duration
	// Stderr receives what the commands say to people, or nil. Errors never
	// quote it, for nobody knows what a foreign program prints there.
	Stderr io.Writer
}

// Command is the lock of a key service that is reached by a program.
func Command(c CommandLine) Lock {
	c.Wrap, c.Unwrap = slices.Clone(c.Wrap), slices.Clone(c.Unwrap)
	return Lock{m: &lockMaterial{command: &c}}
}

// wrap hands the lock key to the service, and asks for it back before anything
// is written that needs it.
func (c *CommandLine) wrap(ctx context.Context, key []byte) ([]byte, error) {
	wrapped, err := c.run(ctx, "wraps", c.Wrap, key, maxWrapped)
	if err != nil {
		return nil, err
	}
	if len(wrapped) == 0 {
		return nil, fmt.Errorf("%w: the one that wraps, %s, gave nothing", ErrCommand, name(c.Wrap))
	}
	if bytes.Contains(wrapped, key) {
		return nil, fmt.Errorf("%w: the one that wraps, %s, gave the key back as it is", ErrCommand, name(c.Wrap))
	}
	again, err := c.unwrap(ctx, wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if subtle.ConstantTimeCompare(again, key) != 1 {
		return nil, fmt.Errorf("%w: %s does not give back what %s was given", ErrCommand, name(c.Unwrap), name(c.Wrap))
	}
	return wrapped, nil
}

// unwrap gives the lock key; the caller clears it.
func (c *CommandLine) unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	key, err := c.run(ctx, "unwraps", c.Unwrap, wrapped, lockSize)
	if err != nil {
		return nil, err
	}
	if len(key) != lockSize {
		clear(key)
		return nil, fmt.Errorf("%w: the one that unwraps, %s, gave %d bytes instead of %d raw ones", ErrCommand, name(c.Unwrap), len(key), lockSize)
	}
	return key, nil
}

// run gives the standard output of a command, at most limit bytes.
func (c *CommandLine) run(ctx context.Context, what string, argv []string, stdin []byte, limit int) ([]byte, error) {
	if len(argv) == 0 {
		return nil, fmt.Errorf("%w: no command is set that %s", ErrCommand, what)
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = commandTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out := &bounded{b: make([]byte, 0, limit+1)}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the operator's own command, without a shell
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), out, c.Stderr
	cmd.WaitDelay = commandGrace // a child of the command may keep the pipes open
	err := cmd.Run()
	switch {
	case err == nil && len(out.b) <= limit:
		return out.b, nil
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		err = fmt.Errorf("%w: the one that %s, %s, did not answer within %s: %w", ErrCommand, what, name(argv), timeout, context.DeadlineExceeded)
	case ctx.Err() != nil:
		err = fmt.Errorf("%w: the one that %s, %s, was stopped: %w", ErrCommand, what, name(argv), context.Cause(ctx))
	case len(out.b) > limit:
		err = fmt.Errorf("%w: the one that %s, %s, gave more than %d bytes", ErrCommand, what, name(argv), limit)
	default:
		// Exit statuses and failures to start; both are ours to print.
		err = fmt.Errorf("%w: the one that %s, %s: %w; run it by hand to see what it says", ErrCommand, what, name(argv), err)
	}
	clear(out.b)
	return nil, err
}

// name leaves the arguments out: people put passwords there.
func name(argv []string) string {
	if len(argv) == 0 {
		return "no command"
	}
	return filepath.Base(argv[0])
}

var errTooMuch = errors.New("too much output")

// bounded keeps what a command prints in one piece of memory that can be
// cleared, and reads the pipe into it without a buffer in between.
type bounded struct{ b []byte }

func (o *bounded) ReadFrom(r io.Reader) (int64, error) {
	start := len(o.b)
	for {
		if len(o.b) == cap(o.b) {
			return int64(len(o.b) - start), errTooMuch
		}
		n, err := r.Read(o.b[len(o.b):cap(o.b)])
		o.b = o.b[:len(o.b)+n]
		if errors.Is(err, io.EOF) {
			return int64(len(o.b) - start), nil
		}
		if err != nil {
			return int64(len(o.b) - start), err
		}
	}
}

func (o *bounded) Write(p []byte) (int, error) {
	n := min(len(p), cap(o.b)-len(o.b))
	o.b = append(o.b, p[:n]...)
	if n < len(p) {
		return n, errTooMuch
	}
	return n, nil
}
