// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"io"

	"github.com/entente-project/entente/internal/care"
)

// ImportSource is a file to be imported; Open may be called more than once.
type ImportSource struct {
	Name string
	Size int64 // bytes, 0 if unknown
	Open func() (io.ReadCloser, error)
}

// ImportProblem is one thing that stops an import: where, and what to do.
type ImportProblem struct {
	Line   int
	Column string
	Key    string // message key
	Args   map[string]string
	Text   string // the English sentence
}

// ImportPlan is what an import would do.
type ImportPlan struct {
	File      string
	Encoding  string
	Delimiter string
	Columns   []string
	Rows      int
	Clients   int             // new clients it would add
	Sessions  int             // new sessions
	Responses int             // new responses
	Known     int             // responses that are there already
	Skipped   int             // rows or cells that hold no rating
	Problems  []ImportProblem // at most MaxProblems
	Total     int             // how many problems in all
	Sample    [][]string      // the first rows as read
}

// Progress is called with how much of total work is done; returning an error
// stops the work with nothing written.
type Progress func(stage string, done, total int64) error

// importUseCases is what the import page and the command line call.
type importUseCases interface {
	PreviewImport(ctx context.Context, actor care.Actor, m *ImportMap, src ImportSource, p Progress) (ImportPlan, error)
	Import(ctx context.Context, actor care.Actor, m *ImportMap, src ImportSource, p Progress) (ImportPlan, error)
}

var _ importUseCases = (*App)(nil)
