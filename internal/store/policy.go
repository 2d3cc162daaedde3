// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// policy is one rule of PostgreSQL for the rows of one table. Its name ends in a
// code over its text, so that a policy that was made from another text is
// replaced.
type policy struct{ table, name, text string }

func newPolicy(table, kind, text string) policy {
	sum := sha256.Sum256([]byte(text))
	return policy{table, policyPrefix + kind + "_" + hex.EncodeToString(sum[:4]), text}
}

const policyPrefix = "wall_"

// Each setting is read once for a statement, not once for a row.
const (
	ofThisPractice = "practice_id = (SELECT current_setting('entente.practice', true))"
	ofThisWay      = "(SELECT current_setting('entente.way', true)) = "
	ofThisHash     = " = (SELECT decode(current_setting('entente.hash', true), 'hex'))"
)

// policiesFor are the policies of a table with these columns: the rows of the
// practice in hand may be read and written, the row that a secret opens may be
// read by whoever has the secret, and the whole may be read where that is said.
// Only the owner of the table may write the whole.
func policiesFor(table string, columns []string) (out []policy) {
	out = append(out,
		newPolicy(table, "practice", "FOR ALL USING ("+ofThisPractice+") WITH CHECK ("+ofThisPractice+")"),
		newPolicy(table, "whole", "FOR SELECT USING ("+ofThisWay+"'"+string(wholeDatabase)+"')"),
		newPolicy(table, "owner", "FOR ALL TO CURRENT_USER USING ("+ofThisWay+"'"+string(wholeDatabase)+"')"))
	for _, c := range secretColumns {
		if slices.Contains(columns, c) {
			out = append(out, newPolicy(table, c, "FOR SELECT USING ("+c+ofThisHash+")"))
		}
	}
	switch table {
	case "practice":
		out = append(out, newPolicy(table, "across", "FOR SELECT USING ("+ofThisWay+"'"+string(acrossPractices)+"')"))
	case "data_key":
		out = append(out, newPolicy(table, "across", "FOR SELECT USING ("+ofThisWay+"'"+string(acrossPractices)+"' AND key_id = '"+practiceKey+"')"))
	}
	return out
}

// secretColumns hold hashes of secrets by which a row is found before its practice
// is known.
var secretColumns = []string{"token_hash", "visit_hash"}

// walled is what the catalogue says of one table.
type walled struct {
	columns         []string
	enabled, forced bool
	policies        []string
}

func (w walled) ofPractice() bool { return slices.Contains(w.columns, "practice_id") }

// catalogue reads the tables of the schema and what protects them.
func catalogue(ctx context.Context, tx *sql.Tx) (map[string]walled, error) {
	out := map[string]walled{}
	scan := func(query string, put func(w *walled, name string, on, force bool)) (err error) {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var table, name string
			var on, force bool
			if err := rows.Scan(&table, &name, &on, &force); err != nil {
				return err
			}
			w := out[table]
			put(&w, name, on, force)
			out[table] = w
		}
		return rows.Err()
	}
	err := scan(`SELECT c.relname, a.attname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum`,
		func(w *walled, name string, on, force bool) {
			w.columns, w.enabled, w.forced = append(w.columns, name), on, force
		})
	if err != nil {
		return nil, err
	}
	err = scan(`SELECT c.relname, p.polname, true, true FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
		WHERE c.relnamespace = current_schema()::regnamespace ORDER BY c.relname, p.polname`,
		func(w *walled, name string, _, _ bool) { w.policies = append(w.policies, name) })
	return out, err
}

// raise makes the policies of every table that has rows of practices, from the
// catalogue, so that no new table is forgotten. Where they stand already it
// changes nothing and locks nothing. It runs as the owner of the tables.
func raise(ctx context.Context, tx *sql.Tx) error {
	tables, err := catalogue(ctx, tx)
	if err != nil {
		return err
	}
	for _, change := range missingIn(tables) {
		if _, err := tx.ExecContext(ctx, change); err != nil {
			return fmt.Errorf("%s: %w", change, err)
		}
	}
	return nil
}

// missingIn are the statements that the wall still needs.
func missingIn(tables map[string]walled) (out []string) {
	for table, w := range tables {
		if !w.ofPractice() {
			continue
		}
		quoted := pgx.Identifier{table}.Sanitize()
		var wanted []string
		for _, p := range policiesFor(table, w.columns) {
			if wanted = append(wanted, p.name); !slices.Contains(w.policies, p.name) {
				out = append(out, "CREATE POLICY "+p.name+" ON "+quoted+" "+p.text)
			}
		}
		for _, name := range w.policies {
			if strings.HasPrefix(name, policyPrefix) && !slices.Contains(wanted, name) {
				out = append(out, "DROP POLICY "+pgx.Identifier{name}.Sanitize()+" ON "+quoted)
			}
		}
		if !w.enabled || !w.forced {
			out = append(out, "ALTER TABLE "+quoted+" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
		}
	}
	return out
}

// grant lets another user than the owner do what the program does with rows, and
// no more: the audit only grows, and the schema cannot be changed.
func grant(ctx context.Context, tx *sql.Tx, user string) error {
	tables, err := catalogue(ctx, tx)
	if err != nil {
		return err
	}
	to := pgx.Identifier{user}.Sanitize()
	var schema string
	if err := tx.QueryRowContext(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
		return err
	}
	changes := []string{"GRANT USAGE ON SCHEMA " + pgx.Identifier{schema}.Sanitize() + " TO " + to}
	for table := range tables {
		rights := "SELECT, INSERT, UPDATE, DELETE"
		switch table {
		case "audit":
			rights = "SELECT, INSERT"
		case "goose_db_version":
			rights = "SELECT"
		}
		changes = append(changes, "REVOKE ALL ON "+pgx.Identifier{table}.Sanitize()+" FROM "+to, "GRANT "+rights+" ON "+pgx.Identifier{table}.Sanitize()+" TO "+to)
	}
	for _, change := range changes {
		if _, err := tx.ExecContext(ctx, change); err != nil {
			return fmt.Errorf("%s: %w", change, err)
		}
	}
	return nil
}

// bound refuses a user whom no policy binds.
func bound(ctx context.Context, db *sql.DB) error {
	var user string
	var free bool
	if err := db.QueryRowContext(ctx, "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user").Scan(&user, &free); err != nil {
		return fmt.Errorf("who the user of the database is cannot be read: %w", err)
	}
	if free {
		return fmt.Errorf("%w: %s is a superuser or has BYPASSRLS, so PostgreSQL would not keep practices apart; make a user of its own (CREATE USER entente PASSWORD '...') that owns the database, and connect as that", errBypass, user)
	}
	return nil
}
