// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is a program that runs beside the test, and all that it has said.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd

	finish func() // waits for its end

	mu    sync.Mutex
	lines []string
	seen  int
	more  chan struct{} // closed when there is more
	ended bool
}

// entente starts the program; it is interrupted when the test ends.
func entente(t *testing.T, args ...string) *process {
	t.Helper()
	p := newProcess(t, os.Args[0], args...)
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.start()
	return p
}

func newProcess(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: exec.CommandContext(t.Context(), name, args...), more: make(chan struct{})}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = 20 * time.Second
	return p
}

func (p *process) start() {
	p.t.Helper()
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(r); s.Scan(); {
			p.add(s.Text(), false)
		}
		p.add("", true)
	}()
	p.finish = sync.OnceFunc(func() {
		_ = p.cmd.Wait() // what it said and how it ended is what tests look at
		if err := w.Close(); err != nil {
			p.t.Error(err)
		}
		<-done
	})
	p.t.Cleanup(p.finish)
}

func (p *process) add(line string, end bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended = end; !end {
		p.lines = append(p.lines, line)
	}
	close(p.more)
	p.more = make(chan struct{})
}

// wait gives the next line that contains text, and ends the test when none comes.
func (p *process) wait(text string) string {
	p.t.Helper()
	late := time.After(90 * time.Second)
	for {
		p.mu.Lock()
		for p.seen < len(p.lines) {
			line := p.lines[p.seen]
			p.seen++
			if strings.Contains(line, text) {
				p.mu.Unlock()
				return line
			}
		}
		more, ended := p.more, p.ended
		p.mu.Unlock()
		if ended {
			p.t.Fatalf("%s ended without saying %q:\n%s", p.name, text, p.all())
		}
		select {
		case <-more:
		case <-late:
			p.t.Fatalf("%s does not say %q:\n%s", p.name, text, p.all())
		}
	}
}

func (p *process) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// after is the rest of the next line that begins with a text.
func (p *process) after(text string) string {
	p.t.Helper()
	_, rest, _ := strings.Cut(p.wait(text), text)
	return rest
}
