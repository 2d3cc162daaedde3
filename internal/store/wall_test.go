// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store/storetest"
)

// catalogue reads what protects each table, as PostgreSQL's superuser sees it.
func (b *bench) catalogue() map[string]walled {
	b.t.Helper()
	tx, err := b.raw.BeginTx(b.ctx, nil)
	must(b.t, err)
	defer tx.Rollback() //nolint:errcheck // nothing was written
	tables, err := catalogue(b.ctx, tx)
	must(b.t, err)
	return tables
}

// TestWallStands: every table with rows of practices has its policies, made from
// the catalogue; one that is added, opened or loosened is walled at the next start.
func TestWallStands(t *testing.T) {
	t.Parallel()
	b := newBench(t, "postgres")
	check := func(when string) {
		tables := b.catalogue()
		if len(tables) < 20 {
			t.Fatalf("%d tables: this test looks at nothing", len(tables))
		}
		for table, w := range tables {
			if table == "goose_db_version" || slices.Contains(ofServer, table) {
				continue
			}
			if !w.ofPractice() || !w.enabled || !w.forced || len(w.policies) < 3 {
				t.Errorf("%s, %s is not walled: %+v", when, table, w)
			}
		}
		if left := missingIn(tables); left != nil {
			t.Errorf("%s there is still to do: %v", when, left)
		}
	}
	check("at first")
	must(t, b.s.Close())
	b.sql("SET ROLE program; CREATE TABLE added (practice_id TEXT NOT NULL, token_hash BYTEA); RESET ROLE")
	b.sql("ALTER TABLE response NO FORCE ROW LEVEL SECURITY")
	b.sql("ALTER TABLE client DISABLE ROW LEVEL SECURITY")
	b.sql("CREATE POLICY wall_practice_00000000 ON session USING (true)")
	for _, p := range b.catalogue()["episode"].policies {
		b.sql("DROP POLICY " + p + " ON episode")
	}
	if len(missingIn(b.catalogue())) < 5 {
		t.Errorf("what was broken is not seen: %v", missingIn(b.catalogue()))
	}
	b.s = b.open()
	check("after the next start")
}

// plant puts rows of both practices, with the same ids, into every table.
func (b *bench) plant() (tables []string) {
	b.t.Helper()
	c, err := b.raw.Conn(b.ctx)
	must(b.t, err)
	defer func() { must(b.t, c.Close()) }()
	_, err = c.ExecContext(b.ctx, "SET session_replication_role = replica") // rows may point nowhere
	must(b.t, err)
	for table, columns := range b.schema() {
		if columns[0].Name != "practice_id" {
			continue
		}
		tables = append(tables, table)
		for _, p := range []care.ID{here.ID, elsewhere.ID} {
			for n := range 3 {
				if (table == "practice" || table == "risk_duty") && n > 0 {
					continue
				}
				names, values := []string{"practice_id"}, []string{"'" + string(p) + "'"}
				for _, x := range columns[1:] {
					names = append(names, x.Name)
					values = append(values, map[string]string{"text": fmt.Sprintf("'id-%d'", n), "bytea": fmt.Sprintf(`'\x%02x%02x'::bytea`, p[len(p)-1], n), "bigint": fmt.Sprint(n), "boolean": "true"}[x.Type])
				}
				_, err := c.ExecContext(b.ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
				must(b.t, err)
			}
		}
	}
	_, err = c.ExecContext(b.ctx, "RESET session_replication_role")
	must(b.t, err)
	slices.Sort(tables)
	return tables
}

// as runs f in a transaction of one practice, "" for one of nobody, and undoes it.
func (b *bench) as(p care.ID, f func(tx *Tx) error) {
	b.t.Helper()
	undo := errors.New("undo")
	err := b.s.Write(b.ctx, func(tx *Tx) error {
		if err := tx.narrow(string(p)); err != nil {
			return err
		}
		return errors.Join(f(tx), undo)
	})
	if !errors.Is(err, undo) || care.CodeOf(err) != care.Internal {
		b.t.Fatalf("as %q: %v", p, err)
	}
}

func (t *Tx) practicesIn(table string) ([]string, error) {
	return list(t, func(r scanner) (s string, err error) { return s, r.Scan(&s) }, "SELECT DISTINCT practice_id FROM "+table+" ORDER BY practice_id")
}

func (t *Tx) affected(query string) (int64, error) {
	r, err := t.exec(query)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// TestWall: statements that forgot which practice they are about see, change,
// remove and add nothing of another; in a transaction of nobody, nothing at all.
func TestWall(t *testing.T) {
	t.Parallel()
	b := newBench(t, "postgres")
	tables := b.plant()
	if len(tables) < 18 {
		t.Fatalf("only %d tables", len(tables))
	}
	b.sql("ALTER TABLE response DROP CONSTRAINT response_pkey") // not the key but the wall must refuse what is added below
	for _, table := range tables {
		each := int64(3)
		if table == "practice" || table == "risk_duty" { // one row of each practice
			each = 1
		}
		b.as(here.ID, func(tx *Tx) error {
			seen, err := tx.practicesIn(table)
			same(t, table+": seen", seen, []string{string(here.ID)})
			return err
		})
		b.as("", func(tx *Tx) error {
			seen, err := tx.practicesIn(table)
			same(t, table+": seen by nobody", len(seen), 0)
			return err
		})
		column := b.schema()[table][1].Name
		for verb, query := range map[string]string{"changed": "UPDATE " + table + " SET " + column + " = " + column, "removed": "DELETE FROM " + table} {
			c, err := b.s.readers.BeginTx(b.ctx, nil)
			must(t, err)
			_, err = c.ExecContext(b.ctx, sayPractice, here.ID)
			must(t, err)
			if verb == "removed" { // whatever points to it
				_, err = c.ExecContext(b.ctx, "SET CONSTRAINTS ALL DEFERRED")
				must(t, err)
			}
			r, err := c.ExecContext(b.ctx, query)
			if err == nil {
				n, err := r.RowsAffected()
				must(t, err)
				same(t, table+": "+verb, n, each)
			} else if !strings.Contains(err.Error(), "foreign key") {
				t.Errorf("%s: %v", query, err)
			}
			must(t, c.Rollback())
		}
		for _, query := range []string{
			"UPDATE " + table + " SET practice_id = '" + string(elsewhere.ID) + "'",
			"INSERT INTO " + table + " SELECT * FROM (SELECT '" + string(elsewhere.ID) + "-x', " + strings.Join(columnNames(b.schema()[table][1:]), ", ") + " FROM " + table + ") x",
		} {
			var violated error
			b.as(here.ID, func(tx *Tx) error {
				_, violated = tx.affected(query)
				return nil
			})
			if violated == nil || !strings.Contains(violated.Error(), "row-level security") {
				t.Errorf("%s: %v", query, violated)
			}
		}
	}
}

func columnNames(columns []column) (out []string) {
	for _, c := range columns {
		out = append(out, c.Name)
	}
	return out
}

// TestWallFuzz lets statements of any kind, none of which names a practice, run
// for one practice or the other, and looks at the other's rows.
func TestWallFuzz(t *testing.T) {
	t.Parallel()
	b := newBench(t, "postgres")
	tables := b.plant()
	rest := func(p care.ID) string {
		var all []string
		for _, table := range tables {
			for _, row := range b.rows(table) {
				if strings.HasPrefix(row, string(p)) {
					all = append(all, table+row)
				}
			}
		}
		slices.Sort(all)
		return strings.Join(all, "\n")
	}
	rng := rand.New(rand.NewPCG(7, 11))
	pair := []care.ID{here.ID, elsewhere.ID}
	schema := b.schema()
	done := 0
	for range 40 {
		me := rng.IntN(2)
		other := rest(pair[1-me])
		for range 12 {
			table := tables[rng.IntN(len(tables))]
			columns := schema[table]
			c := columns[1+rng.IntN(len(columns)-1)]
			value := map[string]string{"text": fmt.Sprintf("'f-%d'", rng.IntN(4)), "bytea": fmt.Sprintf(`'\x%02x'::bytea`, rng.IntN(250)), "bigint": fmt.Sprint(rng.IntN(9)), "boolean": "false"}[c.Type]
			query := []string{
				"UPDATE " + table + " SET " + c.Name + " = " + value + " WHERE " + c.Name + " IS NOT NULL",
				"DELETE FROM " + table + " WHERE " + c.Name + " <> " + value,
				"UPDATE " + table + " SET practice_id = '" + string(pair[1-me]) + "'",
				"SELECT practice_id FROM " + table + " WHERE practice_id <> '" + string(pair[me]) + "' OR " + c.Name + " = " + value,
			}[rng.IntN(4)]
			err := b.s.Write(b.ctx, func(tx *Tx) error {
				if err := tx.narrow(string(pair[me])); err != nil {
					return err
				}
				if !strings.HasPrefix(query, "SELECT") {
					_, err := tx.exec(query)
					return err
				}
				seen, err := list(tx, func(r scanner) (s string, err error) { return s, r.Scan(&s) }, query)
				if slices.Contains(seen, string(pair[1-me])) {
					t.Errorf("%s shows another practice's rows", query)
				}
				return err
			})
			if err == nil {
				done++
			}
		}
		if rest(pair[1-me]) != other {
			t.Fatal("a row of another practice was changed")
		}
	}
	if done < 150 {
		t.Errorf("only %d statements of 480 did anything: this test tries too little", done)
	}
}

// TestWays: a secret shows the one row it opens; what goes over all practices sees
// that they exist and their practice keys; nothing else opens anything.
func TestWays(t *testing.T) {
	t.Parallel()
	b := newBench(t, "postgres")
	tables := b.plant()
	counts := func(f func(tx *Tx) error) map[string]int {
		out := map[string]int{}
		b.as("", func(tx *Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			for _, table := range tables {
				n, err := one(tx, func(r scanner) (n int, err error) { return n, r.Scan(&n) }, "SELECT COUNT(*) FROM "+table)
				if err != nil {
					return err
				}
				if n > 0 {
					out[table] = n
				}
			}
			return nil
		})
		return out
	}
	b.sql("UPDATE data_key SET key_id = 'practice' WHERE key_id = 'id-1'")
	b.sql(`UPDATE sign_in SET token_hash = '\x00ff' WHERE practice_id = $1 AND sign_in_id = 'id-0'`, elsewhere.ID)
	same(t, "nobody", counts(func(*Tx) error { return nil }), map[string]int{})
	same(t, "by a secret", counts(func(tx *Tx) error {
		s, err := tx.SignInByToken([]byte{0, 0xff}, -1)
		same(t, "whose", s.Practice, elsewhere.ID)
		return err
	}), map[string]int{"sign_in": 1})
	same(t, "by a wrong secret", counts(func(tx *Tx) error {
		_, err := tx.InvitationByToken([]byte("wrong"), -1)
		missing(t, "a wrong secret", err)
		return nil
	}), map[string]int{})
	same(t, "across", counts((*Tx).AcrossPractices), map[string]int{"practice": 2, "data_key": 2})
	whole := counts(func(tx *Tx) error { return tx.open(wholeDatabase) })
	same(t, "the whole", slices.Sorted(maps.Keys(whole)), tables)
}

// TestOnePractice holds on both engines: a transaction that has named a practice
// cannot name another.
func TestOnePractice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		_, err := tryRead(b, func(tx *Tx) (care.Staff, error) {
			if _, err := tx.Staff(here.ID, neri.ID); err != nil {
				return care.Staff{}, err
			}
			return tx.Staff(elsewhere.ID, neri.ID)
		})
		if care.CodeOf(err) != care.Internal || !strings.Contains(err.Error(), string(elsewhere.ID)) {
			t.Errorf("a second practice in one transaction: %v", err)
		}
		same(t, "practices seen from one", read(b, func(tx *Tx) ([]care.Practice, error) {
			if _, err := tx.Staff(here.ID, neri.ID); err != nil {
				return nil, err
			}
			return tx.Practices()
		}), []care.Practice{here})
	})
}

// TestBypassRefused: a user whom no policy binds is told so.
func TestBypassRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, "postgres")
	s, err := Open(b.ctx, storetest.Behind(b.url), b.vault)
	if err == nil {
		must(t, s.Close())
		t.Fatal("a superuser serves")
	}
	if !errors.Is(err, errBypass) || !strings.Contains(err.Error(), "CREATE USER") {
		t.Errorf("the refusal does not say what to do: %v", err)
	}
}

// TestTwoUsers: the user that serves can do everything the program does with rows,
// and can change neither the schema, nor a line of the audit, nor the whole.
func TestTwoUsers(t *testing.T) {
	t.Parallel()
	b := newBench(t, "postgres")
	must(t, b.s.Close())
	owner := b.url
	b.url = storetest.Serving(b.url)
	var err error
	b.s, err = Open(b.ctx, b.url, b.vault, WithOwner(owner))
	must(t, err)
	b.fill()
	b.write(func(tx *Tx) error { return tx.Audit(care.AuditEntry{ID: "0190-a-1", Practice: here.ID}) })
	must(t, b.s.Health(b.ctx))
	got, err := b.s.Contents(b.ctx)
	must(t, err)
	same(t, "responses that a backup sees", got["response"].Rows, int64(2))
	must(t, b.s.Close())
	b.s = b.open() // the schema is up to date: the owner is not needed
	for _, query := range []string{"ALTER TABLE response DISABLE ROW LEVEL SECURITY", "DROP POLICY " + b.catalogue()["response"].policies[0] + " ON response", "CREATE TABLE mine (id TEXT)", "UPDATE audit SET act = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DELETE FROM goose_db_version"} {
		var refused error
		b.as(here.ID, func(tx *Tx) error {
			_, refused = tx.affected(query)
			return nil
		})
		if refused == nil || !strings.Contains(refused.Error(), "permission denied") && !strings.Contains(refused.Error(), "must be owner") {
			t.Errorf("%s: %v", query, refused)
		}
	}
	err = b.s.Write(b.ctx, func(tx *Tx) error {
		if err := tx.open(wholeDatabase); err != nil {
			return err
		}
		n, err := tx.affected("UPDATE client SET language = 'x'")
		same(t, "rows of the whole that were changed", n, int64(0))
		return err
	})
	must(t, err)
	var missing sql.NullString
	must(t, b.raw.QueryRowContext(b.ctx, "SELECT MIN(language) FROM client WHERE language = 'x'").Scan(&missing))
	same(t, "changed all the same", missing.Valid, false)
}
