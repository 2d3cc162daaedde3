// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"sync"

	"github.com/entente-project/entente/internal/care"
)

// reach is whose rows a transaction may touch. It begins with nobody's. The first
// practice that a statement names is the only one from then on; PostgreSQL is told,
// and its policies (policy.go) hide every other practice's rows, whatever a
// statement forgets to ask for.
type reach struct {
	practice care.ID
	secret   string
	way      way
}

// way is one of the few purposes for which a transaction sees more than the rows
// of one practice.
type way string

const (
	// acrossPractices: which practices there are, and their practice keys; one
	// after the other may be named. For what comes before anybody is known: the
	// first set-up, a sign-in by address, the check of all audits.
	acrossPractices way = "practices"
	// wholeDatabase: all rows of all tables. For backups, copies and restoring.
	wholeDatabase way = "whole"
)

// What a transaction says to PostgreSQL about its reach. Each holds until its end.
const (
	// With the number of the transaction, by which heal.go finds out how it ended.
	sayAndNumber = "SELECT set_config('entente.practice', $1, true), pg_current_xact_id()::text"
	sayPractice  = "SELECT set_config('entente.practice', $1, true)"
	sayHash      = "SELECT set_config('entente.hash', $1, true)"
	sayWay       = "SELECT set_config('entente.way', $1, true)"
)

// AcrossPractices lets this transaction name one practice after the other. Nothing
// of any of them is seen before it is named, but that it exists.
func (t *Tx) AcrossPractices() error { return t.open(acrossPractices) }

// open takes one of the named ways.
func (t *Tx) open(w way) error {
	if t.reach.way == w {
		return nil
	}
	t.reach.way = w
	return t.say(sayWay, string(w))
}

// admit looks at a statement before it runs: the hook may stand in for it, and the
// practice or the secret that it names becomes the transaction's.
func (t *Tx) admit(query string, args []any) error {
	t.ran++
	n := namedIn(query)
	switch {
	case n.practice > 0 && n.practice <= len(args):
		if err := t.narrow(textOf(args[n.practice-1])); err != nil {
			return err
		}
	case n.secret > 0 && n.secret <= len(args):
		if hash, ok := args[n.secret-1].([]byte); ok && hex.EncodeToString(hash) != t.reach.secret {
			t.reach.secret = hex.EncodeToString(hash)
			if err := t.say(sayHash, t.reach.secret); err != nil {
				return err
			}
		}
	}
	return t.trip(query)
}

func (t *Tx) narrow(practice string) error {
	if care.ID(practice) == t.reach.practice {
		return nil
	}
	if t.reach.practice != "" && t.reach.way == "" {
		return &care.Error{Code: care.Internal, Key: "error.internal", Err: fmt.Errorf("store: a transaction of practice %s asks for practice %s; one that goes over several must say so first", t.reach.practice, practice)}
	}
	t.reach.practice = care.ID(practice)
	return t.say(sayPractice, practice)
}

// say tells the engine; SQLite has no ears for it.
func (t *Tx) say(statement, value string) error {
	if !t.s.engine.walled() {
		return nil
	}
	if err := t.trip(statement); err != nil {
		return err
	}
	if statement == sayPractice && t.writing && t.left.number == "" {
		var said string
		return t.s.fault("say", t.q.QueryRowContext(t.ctx, sayAndNumber, value).Scan(&said, &t.left.number))
	}
	_, err := t.q.ExecContext(t.ctx, statement, value)
	return t.s.fault("say", err)
}

func textOf(v any) string {
	switch x := v.(type) {
	case care.ID:
		return string(x)
	case string:
		return x
	}
	return ""
}

// naming is the numbers of the parameters that a statement gives a practice and
// the hash of a secret in; 0: it names none.
type naming struct{ practice, secret int }

var (
	statements   sync.Map // text -> naming; the texts are few and fixed
	asCondition  = regexp.MustCompile(`\bpractice_id = \$(\d+)`)
	asFirstValue = regexp.MustCompile(`(?s)^\s*INSERT INTO \w+ \(practice_id\b.*?VALUES \(\$(\d+)`)
	asSecret     = regexp.MustCompile(`\b(?:token|visit)_hash = \$(\d+)`)
)

func namedIn(query string) naming {
	if n, ok := statements.Load(query); ok {
		return n.(naming)
	}
	number := func(re *regexp.Regexp) int {
		m := re.FindStringSubmatch(query)
		if m == nil {
			return 0
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0
		}
		return n
	}
	var n naming
	if n.practice = number(asFirstValue); n.practice == 0 {
		n.practice = number(asCondition)
	}
	if n.practice == 0 {
		n.secret = number(asSecret)
	}
	statements.Store(query, n)
	return n
}

// errBypass is why a database is not opened by a user whom no policy binds.
var errBypass = errors.New("no policy binds this user of the database")
