// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postgres is a PostgreSQL of our own with the durability of its defaults:
// fsync, synchronous_commit and full_page_writes are on.
type postgres struct {
	programs, folder string
	who              *syscall.Credential
	proc             *exec.Cmd
}

func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if err != nil || len(found) == 0 {
		return nil, errors.Join(errors.New("PostgreSQL and pgbench are needed: apt-get install -y postgresql"), err)
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// The path of a socket has at most 107 bytes.
	folder, err := os.MkdirTemp(dir, "pg")
	if err != nil {
		return nil, err
	}
	p := &postgres{programs: filepath.Dir(newest), folder: folder, who: who}
	if who != nil {
		err = os.Chown(folder, int(who.Uid), int(who.Gid))
	}
	if err == nil {
		_, err = p.call(ctx, "initdb", "-D", p.data(), "-U", "entente", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
	}
	if err == nil {
		p.proc = p.command(context.WithoutCancel(ctx), "postgres", "-D", p.data(), "-k", folder, "-p", "5432", "-c", "listen_addresses=", "-c", "max_connections=100", "-c", "shared_buffers=128MB")
		err = p.proc.Start()
	}
	if err == nil {
		err = p.ready(ctx)
	}
	if err == nil {
		err = p.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), p.stop())
	}
	return p, nil
}

func (p *postgres) data() string { return filepath.Join(p.folder, "data") }

func major(program string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(program))))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged is whom PostgreSQL runs as: nil, this user, unless that is root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nil is SysProcAttr's own word for "the same user"
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
}

func (p *postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.programs, program), args...) //nolint:gosec // Debian's own programs
	cmd.Dir = p.folder
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "PGHOST=" + p.folder, "PGPORT=5432", "PGUSER=entente"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.who}
	return cmd
}

func (p *postgres) call(ctx context.Context, program string, args ...string) (string, error) {
	text, err := p.command(ctx, program, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", program, err, text)
	}
	return string(text), nil
}

func (p *postgres) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for {
		_, err := p.call(ctx, "pg_isready")
		if err == nil {
			return nil
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return err
		}
	}
}

// oneRow is what pgbench repeats: one row of about a sealed response's size.
var oneRow = "INSERT INTO one_row (id, content) VALUES (gen_random_uuid()::text, '" + strings.Repeat("x", rowBytes) + "');\n"

func (p *postgres) script() string { return filepath.Join(p.folder, "one-row.sql") }

func (p *postgres) prepare(ctx context.Context) error {
	if err := os.WriteFile(p.script(), []byte(oneRow), 0o644); err != nil { //nolint:gosec // another user must read it
		return err
	}
	for _, sql := range []string{"CREATE ROLE program LOGIN", "CREATE DATABASE entente OWNER program", "CREATE TABLE one_row (id text NOT NULL PRIMARY KEY, content text NOT NULL)"} {
		if _, err := p.call(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", sql); err != nil {
			return err
		}
	}
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		text, err := p.call(ctx, "psql", "-X", "-A", "-t", "-d", "postgres", "-c", "SHOW "+setting)
		if err != nil || strings.TrimSpace(text) != "on" {
			return errors.Join(fmt.Errorf("%s is %q, not on", setting, strings.TrimSpace(text)), err)
		}
	}
	return nil
}

var tps = regexp.MustCompile(`(?m)^tps = ([0-9.]+) \(without`)

// inserts is how many one-row transactions a second pgbench makes.
func (p *postgres) inserts(ctx context.Context, conns int, seconds int) (float64, error) {
	text, err := p.call(ctx, "pgbench", "-n", "-M", "prepared", "-c", strconv.Itoa(conns), "-j", "2", "-T", strconv.Itoa(seconds), "-f", p.script(), "postgres")
	if err != nil {
		return 0, err
	}
	m := tps.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("pgbench said no figure:\n%s", text)
	}
	return strconv.ParseFloat(m[1], 64)
}

func (p *postgres) dsn() string {
	return "postgres://program@/entente?host=" + p.folder + "&port=5432&sslmode=disable"
}

// stop ends the server as one that may still have connections.
func (p *postgres) stop() error {
	if p.proc == nil || p.proc.Process == nil {
		return nil
	}
	err := p.proc.Process.Signal(syscall.SIGINT)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return errors.Join(err, p.proc.Wait())
}
