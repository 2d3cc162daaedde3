// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib" // also the driver "pgx"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// engine is everything in which the two databases differ.
type engine interface {
	lock(url string) (release func() error, err error)
	open(ctx context.Context, url string) (main, readers *sql.DB, err error)
	writer(ctx context.Context, url string, main *sql.DB, reading bool) (writer, error)
	readOptions() *sql.TxOptions
	goose() goose.Dialect
	unavailable(error) bool
	lost(error) bool    // the connection is gone; another may work
	unheard(error) bool // the server does not know this number of a transaction
	duplicate(error) bool
	bulk() string
	into() string                // copies one moment of the file to another, "" if there is no file
	counted(table string) string // lets the planner know what a transaction has filled a table with
	walled() bool                // the database itself keeps practices apart
	prepare(ctx context.Context, main *sql.DB, user string, migrate func() error) error
	whole(url string, main *sql.DB) (db *sql.DB, done func() error, err error) // for migrations, which change every practice's rows
	checks() []string                                                          // statements that check the file: each gives nothing, "ok" or what is wrong
	lane() int                                                                 // the chain of the audit that the next line stands in
}

func engineOf(dsn string) (engine, error) {
	switch {
	case strings.HasPrefix(dsn, "sqlite:"):
		return sqliteEngine{}, nil
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		return postgresEngine{lanes: new(atomic.Uint64)}, nil
	}
	return nil, errors.New("the database must be given as sqlite:PATH or postgres://USER@HOST/NAME")
}

type sqliteEngine struct{}

// lock makes the folder too, because it comes before anything else.
func (sqliteEngine) lock(dsn string) (func() error, error) {
	path := strings.TrimPrefix(dsn, "sqlite:")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the database cannot be made: %w", err)
	}
	return lock(path)
}

// open gives one connection that writes and a pool that cannot. The pragmas
// stand in the DSN because each pooled connection needs them.
func (sqliteEngine) open(ctx context.Context, dsn string) (*sql.DB, *sql.DB, error) {
	path := strings.TrimPrefix(dsn, "sqlite:")
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err == nil {
		if err := f.Close(); err != nil {
			return nil, nil, err
		}
	}
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "foreign_keys(1)", "synchronous(FULL)", "temp_store(MEMORY)"}, "_txlock": {"immediate"}}
	main, err := openSQLite("file:" + path + "?" + q.Encode())
	if err != nil {
		return nil, nil, err
	}
	main.SetMaxOpenConns(1)
	var version string
	if err := main.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the database %s cannot be opened: %w", path, err), main.Close())
	}
	if before(version, 3, 51, 3) {
		return nil, nil, errors.Join(fmt.Errorf("SQLite %s can lose a write-ahead log; 3.51.3 or newer is needed", version), main.Close())
	}
	q["_pragma"] = append(q["_pragma"], "query_only(1)", "cache_size(-16000)")
	q["_txlock"] = []string{"deferred"}
	readers, err := openSQLite("file:" + path + "?" + q.Encode())
	if err != nil {
		return nil, nil, errors.Join(err, main.Close())
	}
	readers.SetMaxOpenConns(8)
	readers.SetMaxIdleConns(8)
	return main, readers, nil
}

func before(version string, major, minor, patch int) bool {
	var a, b, c int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &a, &b, &c); err != nil {
		return true
	}
	return a*1_000_000+b*1_000+c < major*1_000_000+minor*1_000+patch
}

// writer refuses a database that has lost what it had acknowledged.
func (sqliteEngine) writer(ctx context.Context, dsn string, main *sql.DB, reading bool) (writer, error) {
	saw, lines, err := openWitness(strings.TrimPrefix(dsn, "sqlite:"), reading) // before counting: others may be writing
	if err != nil {
		return nil, err
	}
	var have int64
	if err := main.QueryRowContext(ctx, auditLines).Scan(&have); err != nil {
		return nil, errors.Join(fmt.Errorf("store: the audit cannot be counted: %w", err), saw.close())
	}
	if have < lines {
		return nil, errors.Join(saw.contradicts(have, lines), saw.close())
	}
	if reading {
		return refusing{main}, saw.close()
	}
	return newGroupWriter(main, saw), nil
}

func (sqliteEngine) readOptions() *sql.TxOptions { return nil }
func (sqliteEngine) goose() goose.Dialect        { return goose.DialectSQLite3 }

func (sqliteEngine) unavailable(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return errors.Is(err, errClosed)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_INTERRUPT:
		return true
	}
	return false
}

// lost, unheard: there is no connection to lose.
func (sqliteEngine) lost(error) bool    { return false }
func (sqliteEngine) unheard(error) bool { return false }

func (sqliteEngine) duplicate(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
}

func (sqliteEngine) bulk() string { return "" }

func (sqliteEngine) into() string { return "VACUUM INTO $1" }

func (postgresEngine) into() string { return "" }

func (sqliteEngine) counted(string) string { return "" }

// walled: a file has no users.
func (sqliteEngine) walled() bool { return false }

func (sqliteEngine) whole(_ string, main *sql.DB) (*sql.DB, func() error, error) {
	return main, func() error { return nil }, nil
}

func (sqliteEngine) prepare(_ context.Context, _ *sql.DB, _ string, migrate func() error) error {
	return migrate()
}

// checks: the second finds the row that names another which is not there.
func (sqliteEngine) checks() []string {
	return []string{"PRAGMA integrity_check(1)", "SELECT 'a row of ' || \"table\" || ' names one of ' || parent || ' that is not there' FROM pragma_foreign_key_check LIMIT 1"}
}

// lane: there is one writer.
func (sqliteEngine) lane() int { return 0 }

type postgresEngine struct{ lanes *atomic.Uint64 }

// lock: PostgreSQL is made for several at once.
func (postgresEngine) lock(string) (func() error, error) { return func() error { return nil }, nil }

// connections is how many of PostgreSQL's one server of ours uses at most.
const connections = 24

func (postgresEngine) open(ctx context.Context, dsn string) (*sql.DB, *sql.DB, error) {
	if err := protected(dsn); err != nil {
		return nil, nil, err
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, nil, fmt.Errorf("the address of the database cannot be read: %w", err)
	}
	// A server that vanished says nothing: without these it would be waited for for minutes.
	if !strings.Contains(dsn, "connect_timeout=") {
		cfg.ConnectTimeout = patience
	}
	cfg.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 2 * time.Second, Count: 5}}).DialContext
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the PostgreSQL database cannot be reached: %w", err), db.Close())
	}
	return db, db, nil
}

// writer: PostgreSQL keeps its log with checksums and says when it is damaged.
func (postgresEngine) writer(_ context.Context, _ string, main *sql.DB, reading bool) (writer, error) {
	if reading {
		return refusing{main}, nil
	}
	return retryWriter{main, make(chan struct{}, 1), new(atomic.Int64)}, nil
}

func (postgresEngine) readOptions() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}
func (postgresEngine) goose() goose.Dialect { return goose.DialectPostgres }

func (p postgresEngine) unavailable(err error) bool {
	if errors.Is(err, errCrowd) {
		return true
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code[:2] {
		case "08", "53", "57", "25", "40":
			return true
		}
		return false
	}
	return p.lost(err) || errors.Is(err, errClosed) || errors.Is(err, sql.ErrConnDone)
}

func (postgresEngine) lost(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code {
		case "57P01", "57P02", "57P03", "53300": // ends, crashed, not ready yet, too many connections
			return true
		}
		return e.Code[:2] == "08"
	}
	var c *pgconn.ConnectError
	var n *net.OpError
	return errors.As(err, &c) || errors.As(err, &n) || pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// unheard: "transaction ID is in the future".
func (postgresEngine) unheard(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "22023"
}

func (postgresEngine) duplicate(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code[:2] == "23"
}

// bulk keeps PostgreSQL from the plans it made while the tables were empty: it
// has no statistics of rows that are not committed, and a plan that walks the
// whole of a wrong index made bringing 6,600 ratings again take 18 s instead of 1.5.
// counted: left to itself, PostgreSQL counts a table in the middle of a long copy
// and sees none of its rows, because they are not committed; from then on it checks
// each foreign key by going through a whole practice. To count here also keeps it
// from counting there until the transaction ends. Only the owner of a table can.
func (postgresEngine) counted(table string) string { return "ANALYZE " + table }

func (postgresEngine) bulk() string { return "SET LOCAL plan_cache_mode = force_custom_plan" }

func (postgresEngine) walled() bool { return true }

// whole: without the way that each connection takes, the policies would hide every
// row from a migration, and it would change none.
func (postgresEngine) whole(url string, _ *sql.DB) (*sql.DB, func() error, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, nil, fmt.Errorf("the address of the database cannot be read: %w", err)
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(takeWhole))
	return db, db.Close, nil
}

func takeWhole(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SELECT set_config('entente.way', $1, false)", string(wholeDatabase))
	return err
}

// prepare is done by one of several servers that start at once; the others wait
// and find it done. user is whom rights are given to, "" if the owner himself serves.
func (postgresEngine) prepare(ctx context.Context, main *sql.DB, user string, migrate func() error) error {
	tx, err := main.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // without effect once it is committed
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", preparing); err != nil {
		return err
	}
	if err := migrate(); err != nil {
		return err
	}
	if err := raise(ctx, tx); err != nil {
		return fmt.Errorf("the policies that keep practices apart cannot be made; the user that owns the tables can (--database-owner): %w", err)
	}
	if user != "" {
		if err := grant(ctx, tx, user); err != nil {
			return fmt.Errorf("rights cannot be given to the user that serves: %w", err)
		}
	}
	return tx.Commit()
}

// preparing is the number of the lock, the same for every server of this program.
const preparing = 0x656e74656e7465

// checks: PostgreSQL looks after its own files.
func (postgresEngine) checks() []string { return nil }

// lane goes round, so that transactions of one moment do not wait for each other's
// head. Two instances may meet in one; then one of them runs again.
func (e postgresEngine) lane() int { return int(e.lanes.Add(1) % auditLanes) }

const auditLanes = 16
