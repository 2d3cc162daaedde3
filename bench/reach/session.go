// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"context"
	_ "embed" // R's side of the comparison
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed session.R
var script []byte

// session is one R process that keeps its packages and data in memory.
type session struct {
	version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// errNoR says why there is nothing to compare with.
var errNoR = errors.New("R with metafor, lme4 and lavaan is not here (Debian: apt-get install r-cran-metafor r-cran-lme4 r-cran-lavaan)")

// startR starts R; the error wraps errNoR where it or a package is missing.
func startR(ctx context.Context, dir string) (*session, error) {
	program, err := exec.LookPath("Rscript")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoR, err)
	}
	file := filepath.Join(dir, "session.R")
	if err := os.WriteFile(file, script, 0o600); err != nil {
		return nil, fmt.Errorf("write R's script: %w", err)
	}
	s := &session{cmd: exec.CommandContext(ctx, program, "--vanilla", file)} //nolint:gosec // the user's own R
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("reach R's input: %w", err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("reach R's output: %w", err)
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoR, err)
	}
	if s.version, err = s.out.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoR, s.cmd.Wait())
	}
	s.version = strings.TrimSpace(s.version)
	return s, nil
}

// ask sends a line and reads the numbers of the answer.
func (s *session) ask(line string) ([]float64, error) {
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		return nil, fmt.Errorf("R has gone: %w", err)
	}
	text, err := s.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("R has no answer to %q: %w", line, err)
	}
	var out []float64
	for _, f := range strings.Fields(text) {
		x, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, fmt.Errorf("R answers %q to %q: %w", strings.TrimSpace(text), line, err)
		}
		out = append(out, x)
	}
	return out, nil
}

func (s *session) stop() error {
	if err := s.in.Close(); err != nil {
		return fmt.Errorf("end R: %w", err)
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("end R: %w", err)
	}
	return nil
}
