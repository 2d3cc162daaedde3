// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

// bringing is one file between its preview and its end. It is kept in memory
// only, because it holds people's answers in plain; what counts is in the
// database, so nothing is lost with it.
type bringing struct {
	owner  care.Actor
	file   string
	data   []byte
	mapped *app.ImportMap
	until  time.Time

	mu    sync.Mutex
	stage string
	done  int64
	total int64
	plan  app.ImportPlan
	state string // preview, running, done, stopped, failed
	stop  context.CancelFunc
	err   error
}

// bringings are the files in hand, by a random name that only their owner knows.
type bringings struct {
	mu  sync.Mutex
	all map[string]*bringing
}

const (
	bringingLasts = 10 * time.Minute
	mostBringings = 8
)

func (b *bringings) put(x *bringing, now time.Time) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string]*bringing{}
	}
	for k, old := range b.all {
		old.mu.Lock()
		if now.After(old.until) && old.state != "running" {
			delete(b.all, k)
		}
		old.mu.Unlock()
	}
	if len(b.all) >= mostBringings {
		return "", false
	}
	k := auth.NewToken().Text()
	b.all[k] = x
	return k, true
}

func (b *bringings) get(key string, owner care.Actor) (*bringing, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.all[key]
	if x == nil || x.owner.Practice != owner.Practice || x.owner.Staff != owner.Staff || x.owner.SignIn != owner.SignIn {
		return nil, care.Missing()
	}
	return x, nil
}

// forget lets a file go when nobody came back for it.
func (b *bringings) forget(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.all[key]; x != nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.state == "preview" {
			x.data = nil
			delete(b.all, key)
		}
	}
}

// importView is the page of an import in whatever state.
type importView struct {
	ID, State, Map, Stage string
	Percent               int
	Plan                  app.ImportPlan
	Problems              []importProblem
}

type importProblem struct {
	Line         int
	Column, Text string
}

func importPage(c *call) error {
	if err := care.May(c.by, care.BringRatings); err != nil {
		return err
	}
	return c.render(http.StatusOK, "import", importView{State: "new"})
}

// previewImport reads the file and shows what it would bring.
func previewImport(c *call) error {
	if err := care.May(c.by, care.BringRatings); err != nil {
		return err
	}
	if err := c.r.ParseMultipartForm(64 << 20); err != nil { // bounded by maxBody; kept in memory on purpose
		return c.again("import", importView{State: "new"}, &care.Error{Code: care.Invalid, Field: "file", Key: "import.too_large", Err: err})
	}
	text := c.r.PostFormValue("map")
	v := importView{State: "new", Map: text}
	f, head, err := c.r.FormFile("file")
	if err != nil {
		return c.again("import", v, care.Bad("file", "import.no_file"))
	}
	defer f.Close() //nolint:errcheck // read only
	if kind := strings.ToLower(filepath.Ext(head.Filename)); !slices.Contains([]string{".csv", ".tsv", ".txt", ""}, kind) {
		return c.again("import", v, &care.Error{Code: care.Invalid, Field: "file", Key: "import.not_csv", Args: map[string]string{"kind": kind}})
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return c.again("import", v, &care.Error{Code: care.Invalid, Field: "file", Key: "import.unreadable", Err: err})
	}
	m, err := app.ParseImportMap("mapping", []byte(text))
	if err != nil {
		return c.again("import", v, err)
	}
	x := &bringing{owner: c.by, file: head.Filename, data: data, mapped: m, until: c.s.cfg.Now().Add(bringingLasts), state: "preview"}
	if x.plan, err = c.app().PreviewImport(c.r.Context(), c.by, m, x.source(), nil); err != nil {
		return c.again("import", v, err)
	}
	if x.plan.Total > 0 {
		v.Plan, v.State, v.Problems = x.plan, "problems", c.problems(x.plan)
		return c.render(http.StatusUnprocessableEntity, "import", v)
	}
	k, ok := c.s.bringings.put(x, c.s.cfg.Now())
	if !ok {
		return &care.Error{Code: care.Unavailable, Key: "import.busy"}
	}
	time.AfterFunc(bringingLasts, func() { c.s.bringings.forget(k) })
	return c.redirect("/import/" + k)
}

func (x *bringing) source() app.ImportSource {
	return app.ImportSource{Name: x.file, Size: int64(len(x.data)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.data)), nil }}
}

// problems are the sentences in the reader's language.
func (c *call) problems(p app.ImportPlan) (out []importProblem) {
	for _, x := range p.Problems {
		text := x.Text
		if c.p.Has(x.Key) {
			text = c.message(&care.Error{Key: x.Key, Args: x.Args})
		}
		out = append(out, importProblem{Line: x.Line, Column: x.Column, Text: text})
	}
	return out
}

func importState(c *call) error {
	x, err := c.s.bringings.get(c.r.PathValue("id"), c.by)
	if err != nil {
		return err
	}
	x.mu.Lock()
	v := importView{ID: c.r.PathValue("id"), State: x.state, Plan: x.plan, Stage: x.stage, Problems: c.problems(x.plan)}
	if x.total > 0 {
		v.Percent = int(100 * x.done / x.total)
	}
	x.mu.Unlock()
	return c.render(http.StatusOK, "import", v)
}

// startImport imports in the background; the page shows how far it is.
func startImport(c *call) error {
	x, err := c.s.bringings.get(c.r.PathValue("id"), c.by)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state == "preview" {
		ctx, stop := context.WithTimeout(context.WithoutCancel(c.r.Context()), time.Hour)
		x.state, x.stop = "running", stop
		go c.s.bring(ctx, x)
	}
	return c.redirect("/import/" + c.r.PathValue("id"))
}

func (s *Server) bring(ctx context.Context, x *bringing) {
	plan, err := s.app.Import(ctx, x.owner, x.mapped, x.source(), func(stage string, done, total int64) error {
		x.mu.Lock()
		x.stage, x.done, x.total = stage, done, total
		x.mu.Unlock()
		return ctx.Err()
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stop()
	x.plan, x.err, x.data, x.state = plan, err, nil, "done"
	switch {
	case errors.Is(err, context.Canceled):
		x.state = "stopped"
	case err != nil || plan.Total > 0:
		x.state = "failed"
		if err != nil {
			s.cfg.Log.Error("import", "err", err)
		}
	}
}

func stopImport(c *call) error {
	x, err := c.s.bringings.get(c.r.PathValue("id"), c.by)
	if err != nil {
		return err
	}
	x.mu.Lock()
	if x.state == "running" {
		x.stop()
	}
	x.mu.Unlock()
	return c.redirect("/import/" + c.r.PathValue("id"))
}
