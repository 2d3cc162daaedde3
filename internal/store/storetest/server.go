// SPDX-License-Identifier: AGPL-3.0-or-later

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a PostgreSQL server that one test has to itself, to stop, to crash, to
// follow and to promote. It ends with the test, however that ends.
type Server struct {
	t      testing.TB
	bin    string
	folder string
	as     *syscall.Credential
	alive  io.Closer // while it is open the keeper lets the server run
	keeper *exec.Cmd
}

// serverKeeper ends with its standard input, and the server with it.
const serverKeeper = `
"$1/postgres" -D "$2/data" -k "$2" -p 5432 -c listen_addresses= -c max_connections=200 -c fsync=off -c shared_buffers=32MB \
	-c lc_messages=C -c wal_level=replica -c max_wal_senders=4 -c wal_keep_size=256MB &
server=$!
exec >/dev/null 2>&1
read -r _
kill -QUIT "$server"
wait "$server"
`

// NewServer starts a server with the user "program" and an empty database "entente"
// that it owns.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s := emptyServer(t)
	s.run("initdb", "-D", s.folder+"/data", "-U", root, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	s.Start()
	s.Exec("CREATE ROLE " + program + " LOGIN")
	s.Exec("CREATE DATABASE entente OWNER " + program)
	return s
}

func emptyServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t}
	var err error
	if s.bin, err = programs(); err != nil {
		t.Fatal(err)
	}
	if s.as, err = unprivileged(); err != nil {
		t.Fatal(err)
	}
	if s.folder, err = os.MkdirTemp("/tmp", "entente-server-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop(syscall.SIGQUIT)
		if err := os.RemoveAll(s.folder); err != nil {
			t.Error(err)
		}
	})
	if s.as != nil {
		if err := os.Chown(s.folder, int(s.as.Uid), int(s.as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// command is one of PostgreSQL's programs, as the server's user.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(s.t.Context()), name, args...) //nolint:gosec // the tests name it
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

func (s *Server) run(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(filepath.Join(s.bin, name), args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Start starts the server and returns when it accepts connections.
func (s *Server) Start() {
	s.t.Helper()
	s.Launch()
	s.Await()
}

// Launch starts the server without waiting for it.
func (s *Server) Launch() {
	s.t.Helper()
	s.keeper = s.command("/bin/sh", "-c", serverKeeper, "sh", s.bin, s.folder)
	alive, err := s.keeper.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.alive = alive
	if err := s.keeper.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// Await returns when the server accepts connections.
func (s *Server) Await() {
	s.t.Helper()
	end := time.Now().Add(time.Minute)
	for {
		err := s.exec("SELECT 1")
		if err == nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the server does not accept connections: %v", err)
		}
		time.Sleep(5 * time.Millisecond) // it says nothing when it is ready
	}
}

// Stop ends the server by a signal, INT for an orderly end and QUIT for a crash,
// and returns when it is gone.
func (s *Server) Stop(signal syscall.Signal) {
	s.t.Helper()
	if s.keeper == nil {
		return
	}
	if pid, err := s.pid(); err == nil {
		if err := syscall.Kill(pid, signal); err != nil {
			s.t.Errorf("stop PostgreSQL: %v", err)
		}
		end := time.Now().Add(30 * time.Second)
		for _, err = s.pid(); err == nil && time.Now().Before(end); _, err = s.pid() {
			time.Sleep(time.Millisecond) // its last act is to remove its number
		}
	}
	_ = s.alive.Close() // the keeper's word to end
	_ = s.keeper.Wait() // it ends as the server did
	s.keeper = nil
}

func (s *Server) pid() (int, error) {
	text, err := os.ReadFile(s.folder + "/data/postmaster.pid")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// Exec runs a statement as the server's own superuser.
func (s *Server) Exec(query string, args ...any) {
	s.t.Helper()
	if err := s.exec(query, args...); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
}

func (s *Server) exec(query string, args ...any) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 10*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", s.dsn(root, "postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, query, args...)
	return err
}

// Terminate ends every connection of the program and says how many there were.
func (s *Server) Terminate() (n int) {
	s.t.Helper()
	db, err := sql.Open("pgx", s.dsn(root, "postgres"))
	if err != nil {
		s.t.Fatal(err)
	}
	err = db.QueryRowContext(s.t.Context(), "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1", program).Scan(&n)
	if err = errors.Join(err, db.Close()); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// Standby starts a server that follows this one; from then on this one
// acknowledges nothing that the standby has not applied.
func (s *Server) Standby() *Server {
	s.t.Helper()
	standby := emptyServer(s.t)
	standby.run("pg_basebackup", "-D", standby.folder+"/data", "-X", "stream", "-c", "fast", "-R", "--no-sync",
		"-d", "host="+s.folder+" port=5432 user="+root+" application_name=standby")
	standby.Start()
	s.Exec("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
	s.Exec("ALTER SYSTEM SET synchronous_commit = 'remote_apply'")
	s.Exec("SELECT pg_reload_conf()")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		// A division by zero is the shortest way to say that it is not so yet.
		if s.exec("SELECT 1 / COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == nil {
			return standby
		}
		if time.Now().After(end) {
			s.t.Fatal("the standby does not follow")
		}
	}
}

// Promote makes a standby the one that is written to.
func (s *Server) Promote() {
	s.t.Helper()
	s.Exec("SELECT pg_promote()")
}

// DSN leads to whichever of these servers can be written to.
func (s *Server) DSN(others ...*Server) string {
	folders, ports := s.folder, "5432"
	for _, o := range others {
		folders, ports = folders+","+o.folder, ports+",5432"
	}
	query := url.Values{"host": {folders}, "port": {ports}, "sslmode": {"disable"}}
	if len(others) > 0 {
		query.Set("target_session_attrs", "read-write")
	}
	return "postgres://" + program + "@/entente?" + query.Encode()
}

func (s *Server) dsn(user, database string) string {
	query := url.Values{"host": {s.folder}, "port": {"5432"}, "sslmode": {"disable"}}
	return fmt.Sprintf("postgres://%s@/%s?%s", user, database, query.Encode())
}
