// SPDX-License-Identifier: AGPL-3.0-or-later

package storetest

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the database/sql driver "pgx"
)

// Postgres returns the DSN, for database/sql's driver "pgx", of an empty
// database that belongs to t alone and is dropped when t ends. Its user owns the
// database and is bound by policies; Behind gives one that is not. The first call
// in a process starts a server, which ends with the process however that ends.
// t fails, with the command that installs it, when PostgreSQL is missing.
func Postgres(t testing.TB) string {
	t.Helper()
	return clone(t, server(t), "template0")
}

// PostgresFrom is Postgres with the database copied from a template. The first
// call with a template's name in a process makes the template: prepare is handed
// the DSN of an empty database, fills it and closes every connection to it.
// Later calls with that name only copy, and fail as the first did if it failed.
func PostgresFrom(t testing.TB, template string, prepare func(dsn string) error) string {
	t.Helper()
	s := server(t)
	made, _ := s.templates.LoadOrStore(template, sync.OnceValues(func() (string, error) {
		return s.makeTemplate(prepare)
	}))
	name, err := made.(func() (string, error))()
	if err != nil {
		t.Fatalf("prepare the template database %s: %v", template, err)
	}
	return clone(t, s, name)
}

// postgres is the one server of this process.
type postgres struct {
	folder    string  // holds the socket and the data
	admin     *sql.DB // to the database "postgres"
	databases atomic.Int64
	templates sync.Map   // name given by the caller -> func() (database, error)
	alive     io.Closer  // while it is open the keeper lets the server run
	log       *lastLines // what the server wrote
}

var started = sync.OnceValues(start)

func server(t testing.TB) *postgres {
	t.Helper()
	s, err := started()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func clone(t testing.TB, s *postgres, template string) string {
	t.Helper()
	name, err := s.create(template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := s.admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database of this test: %v", err)
		}
	})
	return s.dsn(name)
}

func (s *postgres) makeTemplate(prepare func(dsn string) error) (string, error) {
	name, err := s.create("template0")
	if err != nil {
		return "", err
	}
	if err := prepare(s.dsn(name)); err != nil {
		return "", err
	}
	// A template can only be copied while nobody is connected to it.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := s.admin.ExecContext(ctx, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false"); err != nil {
		return "", fmt.Errorf("close the template to connections: %w", err)
	}
	return name, nil
}

func (s *postgres) create(template string) (string, error) {
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+" OWNER "+program); err != nil {
		return "", fmt.Errorf("create a database from %s: %w; the server wrote:\n%s", template, err, s.log)
	}
	return name, nil
}

func (s *postgres) dsn(database string) string {
	query := url.Values{"host": {s.folder}, "port": {"5432"}, "sslmode": {"disable"}}
	return "postgres://" + program + "@/" + database + "?" + query.Encode()
}

// program is the user that owns every database and is bound by policies, as the
// program itself must be; root is the server's own, whom nothing binds; serving owns
// nothing.
const program, root, serving = "program", "entente", "serving"

// Behind returns the DSN by which a test sees and changes every row of a database
// that Postgres gave it, whatever the policies say.
func Behind(dsn string) string {
	return strings.Replace(dsn, "postgres://"+program+"@", "postgres://"+root+"@", 1)
}

// Serving returns the DSN of a user that has no rights in a database that Postgres
// gave until its owner grants some.
func Serving(dsn string) string {
	return strings.Replace(dsn, "postgres://"+program+"@", "postgres://"+serving+"@", 1)
}

// keeper runs the server and outlives this process by a moment: the end of its
// standard input, which the kernel closes even after kill -9, is its word to
// stop the server and to remove the folder.
const keeper = `
"$1/initdb" -D "$2/data" -U entente --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >&2 ||
	{ rm -rf "$2"; exit 1; }
"$1/postgres" -D "$2/data" -k "$2" -p 5432 -c listen_addresses= -c max_connections=200 \
	-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB \
	-c log_checkpoints=off -c lc_messages=C &
server=$!
exec >/dev/null 2>&1
read -r _
kill -QUIT "$server"
wait "$server"
rm -rf "$2"
`

// start runs initdb and the server; about a second.
func start() (*postgres, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// Not TMPDIR: the path of a socket has at most 107 bytes, and the folder must
	// be reachable by another user than root.
	folder, err := os.MkdirTemp("/tmp", "entente-postgres-")
	if err != nil {
		return nil, fmt.Errorf("folder for PostgreSQL: %w", err)
	}
	if who != nil {
		if err := os.Chown(folder, int(who.Uid), int(who.Gid)); err != nil {
			return nil, fmt.Errorf("folder for PostgreSQL: %w", err)
		}
	}
	cmd := exec.CommandContext(context.Background(), "/bin/sh", "-c", keeper, "keeper", bin, folder) //nolint:gosec // both are arguments, and our own
	cmd.Dir = folder
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true} // own group: Ctrl-C must not end the keeper first
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	output, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s := &postgres{folder: folder, alive: alive, log: &lastLines{}}
	if err := s.log.awaitReady(output); err != nil {
		return nil, errors.Join(err, alive.Close(), cmd.Wait())
	}
	if s.admin, err = sql.Open("pgx", Behind(s.dsn("postgres"))); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to PostgreSQL: %w", err), alive.Close())
	}
	s.admin.SetMaxOpenConns(4)
	if _, err := s.admin.ExecContext(context.Background(), "CREATE ROLE "+program+" LOGIN; CREATE ROLE "+serving+" LOGIN"); err != nil {
		return nil, errors.Join(fmt.Errorf("make the users of the program: %w", err), alive.Close())
	}
	return s, nil
}

// programs returns the folder of the newest PostgreSQL: Debian's, else the one
// on the PATH.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
		return filepath.Dir(newest), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("this test needs PostgreSQL; install it with: bash scripts/setup-tests (or: apt-get install -y postgresql): %w", err)
	}
	return filepath.Dir(path), nil
}

func version(initdb string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged returns whom the server runs as: nil, this user, unless that is
// root, as whom PostgreSQL refuses to run.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nil is SysProcAttr's own word for "the same user"
	}
	var tried error
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			tried = errors.Join(tried, err)
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no other user for it: %w", tried)
}

// lastLines keeps the end of the server's log, to be shown when it fails.
type lastLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func (l *lastLines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines = append(l.lines, line); len(l.lines) > 50 {
		l.lines = l.lines[1:]
	}
}

// awaitReady returns when the server accepts connections, or with what it wrote
// when it ended or a minute has passed before that. It goes on reading, because
// a server that nobody reads stands still.
func (l *lastLines) awaitReady(output io.Reader) error {
	ready, ended := make(chan struct{}), make(chan struct{})
	var once sync.Once
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			l.add(lines.Text())
			if strings.Contains(lines.Text(), "database system is ready to accept connections") {
				once.Do(func() { close(ready) })
			}
		}
	}()
	select {
	case <-ready:
		return nil
	case <-ended:
		return fmt.Errorf("PostgreSQL did not start:\n%s", l)
	case <-time.After(time.Minute):
		return fmt.Errorf("PostgreSQL did not start within a minute:\n%s", l)
	}
}
