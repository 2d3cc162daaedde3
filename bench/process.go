// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that this one started.
type process struct {
	cmd   *exec.Cmd
	lines chan string // of its standard output; closed at its end
	said  *tail       // the end of its standard error
	once  sync.Once
	ended error
}

// start runs a program until stop is called or ctx ends.
func start(ctx context.Context, env []string, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, name, args...), lines: make(chan string, 64), said: &tail{}} //nolint:gosec // programs that were built for this run
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 20 * time.Second
	p.cmd.Stderr = p.said
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			select {
			case p.lines <- s.Text():
			default: // nobody reads any more
			}
		}
	}()
	return p, nil
}

// await returns what follows prefix in the first line of output that has it.
func (p *process) await(ctx context.Context, prefix string) (string, error) {
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				return "", fmt.Errorf("%s ended without writing %q; it said:\n%s", p.cmd.Path, prefix, p.said)
			}
			if _, rest, ok := strings.Cut(line, prefix); ok {
				return strings.TrimSpace(rest), nil
			}
		case <-ctx.Done():
			return "", fmt.Errorf("%s has not written %q: %w", p.cmd.Path, prefix, ctx.Err())
		}
	}
}

// stop asks the program to end and waits until it has.
func (p *process) stop() error {
	p.once.Do(func() {
		err := p.cmd.Process.Signal(syscall.SIGTERM)
		if errors.Is(err, os.ErrProcessDone) {
			err = nil
		}
		var exit *exec.ExitError
		if wait := p.cmd.Wait(); wait != nil && !errors.As(wait, &exit) && !errors.Is(wait, context.Canceled) {
			err = errors.Join(err, wait)
		}
		p.ended = err
	})
	return p.ended
}

// resident is how much memory the program holds now, in bytes.
func (p *process) resident() (int64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
	if err != nil {
		return 0, fmt.Errorf("memory of %s: %w", p.cmd.Path, err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("memory of %s: the kernel does not say", p.cmd.Path)
}

// tick is the unit in which Linux counts the processor's time, on all its
// architectures that Go runs on.
const tick = 10 * time.Millisecond

// processor is how much of the processors' time the program has used. Unlike a
// rate it hardly depends on what else the machine does.
func (p *process) processor() (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("time of %s: %w", p.cmd.Path, err)
	}
	// The name of the program, in brackets, may hold anything; times are the 12th and 13th after it.
	_, rest, _ := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, fmt.Errorf("time of %s: the kernel does not say", p.cmd.Path)
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// tail keeps the last 16 kB that were written.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(b)
	if over := t.buf.Len() - 16<<10; over > 0 {
		t.buf.Next(over)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// build makes a static binary of a package of the module in folder.
func build(ctx context.Context, folder, pkg, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", out, pkg) //nolint:gosec // the packages are named in this program
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// freePort gives an address nobody listens on at this moment.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// load is the machine's load averages, as the kernel writes them.
func load() string {
	f, err := os.Open("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	defer f.Close() //nolint:errcheck // only read from
	b, err := io.ReadAll(f)
	if fields := strings.Fields(string(b)); err == nil && len(fields) > 2 {
		return strings.Join(fields[:3], " ")
	}
	return "unknown"
}
