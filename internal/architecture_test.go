// SPDX-License-Identifier: AGPL-3.0-or-later

// Package internal_test keeps the directions between the rooms of the house and
// its house rules; see docs/adding-a-feature.md.
package internal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	module  = "github.com/entente-project/entente"
	inside  = module + "/internal"
	root    = ".."
	maxGo   = 600 // lines
	license = "// SPDX-License-Identifier: AGPL-3.0-or-later"
)

// pkg is what `go list -json` says of one package that we look at.
type pkg struct {
	ImportPath string
	Standard   bool
	ForTest    string
	GoFiles    []string
	Deps       []string // of everything it imports too
}

func (p pkg) ours() bool { return within(p.ImportPath, module) }

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// list returns every package of this module and everything that they and their
// tests import, by import path.
func list(t *testing.T) map[string]pkg {
	t.Helper()
	all, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var listed = sync.OnceValues(func() (map[string]pkg, error) {
	cmd := exec.Command("go", "list", "-deps", "-test", "-json=ImportPath,Standard,ForTest,GoFiles,Deps", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	all := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("what go list says: %w", err)
		}
		// A package built again for a test, and the program of a test, are no rooms.
		if p.ForTest == "" && !strings.HasSuffix(p.ImportPath, ".test") {
			all[p.ImportPath] = p
		}
	}
})

// directions says what a room, with all that it imports, must not reach.
var directions = []struct {
	rooms  []string
	banned []string
}{
	{rooms: []string{module + "/alliance", module + "/instrument", module + "/outcome", module + "/stats"}, banned: []string{inside, module + "/cmd"}},
	{rooms: []string{inside + "/web", inside + "/fhir"}, banned: []string{inside + "/store", module + "/cmd"}},
	{rooms: []string{inside + "/app"}, banned: []string{inside + "/store", inside + "/web", inside + "/fhir", module + "/cmd"}},
	{rooms: []string{inside + "/store", inside + "/vault", inside + "/auth"}, banned: []string{inside + "/app", inside + "/web", inside + "/fhir", module + "/cmd"}},
	{rooms: []string{module + "/stats"}, banned: []string{"github.com/parquet-go", "github.com/alecthomas", "golang.org/x/image"}},
	{rooms: []string{inside + "/analysis", inside + "/figure"}, banned: []string{inside + "/app", inside + "/store", inside + "/web", inside + "/vault", inside + "/auth", module + "/cmd"}},
	{rooms: []string{inside + "/chart", inside + "/i18n", inside + "/table", inside + "/certificate", inside + "/oidc"}, banned: []string{inside + "/app", inside + "/store", inside + "/web", inside + "/fhir", module + "/cmd"}},
}

func TestDirections(t *testing.T) {
	t.Parallel()
	all := list(t)
	for _, room := range []string{inside + "/app", inside + "/care", inside + "/store", inside + "/web"} {
		if _, ok := all[room]; !ok {
			t.Errorf("go list does not name %s: this test looks at nothing", room)
		}
	}
	for _, d := range directions {
		for _, path := range strays(all, d.rooms, d.banned) {
			t.Error(path)
		}
	}
}

// strays returns a sentence for each package in rooms that reaches a banned one.
func strays(all map[string]pkg, rooms, banned []string) []string {
	var found []string
	for _, p := range all {
		if !slices.ContainsFunc(rooms, func(room string) bool { return within(p.ImportPath, room) }) {
			continue
		}
		for _, dep := range p.Deps {
			if slices.ContainsFunc(banned, func(b string) bool { return within(dep, b) }) {
				found = append(found, fmt.Sprintf("%s reaches %s", p.ImportPath, dep))
			}
		}
	}
	return found
}

func TestDirectionsFindAStray(t *testing.T) {
	t.Parallel()
	all := map[string]pkg{
		inside + "/web":  {ImportPath: inside + "/web", Deps: []string{"net/http", inside + "/app", inside + "/store"}},
		inside + "/webs": {ImportPath: inside + "/webs", Deps: []string{inside + "/store"}},
	}
	got := strays(all, []string{inside + "/web"}, []string{inside + "/store"})
	if want := []string{inside + "/web reaches " + inside + "/store"}; !slices.Equal(got, want) {
		t.Errorf("strays = %q, want %q", got, want)
	}
}

func TestCareImportsTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	all := list(t)
	for _, dep := range all[inside+"/care"].Deps {
		if !all[dep].Standard {
			t.Errorf("care reaches %s", dep)
		}
	}
}

func TestNoForbiddenDriver(t *testing.T) {
	t.Parallel()
	for path := range list(t) {
		if within(path, "github.com/mattn/go-sqlite3") || within(path, "github.com/ncruces/go-sqlite3") {
			t.Errorf("%s is imported; it binds $2, $1, $2 wrongly without an error", path)
		}
	}
}

// TestDependenciesHaveTheirReason compares go.mod with docs/dependencies.md.
func TestDependenciesHaveTheirReason(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for _, r := range mod.Require {
		direct[r.Path] = !r.Indirect
		if !r.Indirect && !bytes.Contains(text, []byte("| `"+r.Path+"` |")) {
			t.Errorf("docs/dependencies.md does not say why %s is needed", r.Path)
		}
	}
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "| `"), "` |")
		host, _, path := strings.Cut(name, "/")
		if strings.HasPrefix(line, "| `") && path && strings.Contains(host, ".") && !direct[name] {
			t.Errorf("docs/dependencies.md names %s, which go.mod does not require directly", name)
		}
	}
}

func TestEachPackageHasADoc(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		// A folder with nothing but tests, as this one, has no package to describe.
		if p.ours() && len(p.GoFiles) > 0 && !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go", p.ImportPath)
		}
	}
}

// TestEachGoFile looks at every Go file, tests included; what lies in a testdata
// folder is data.
func TestEachGoFile(t *testing.T) {
	t.Parallel()
	looked := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		looked++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(text, []byte(license+"\n")) {
			t.Errorf("%s does not begin with %q", path, license)
		}
		if n := bytes.Count(text, []byte("\n")); n > maxGo {
			t.Errorf("%s has %d lines, more than %d", path, n, maxGo)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 20 {
		t.Errorf("looked at %d files only", looked)
	}
}
