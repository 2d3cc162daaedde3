// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// split writes the rows from the given one on into a file and returns it with the
// table of those before.
func (f frame) split(t *testing.T, at int) (first, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "new.csv")
	if err := os.WriteFile(file, []byte(frame{names: f.names, rows: f.rows[at:]}.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return frame{names: f.names, rows: f.rows[:at]}.String(), file
}

// TestStudiesAreAdded: what comes out of adding studies is what all of them give
// together, and what the first ones gave stands before it.
func TestStudiesAreAdded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		at   int
		line string
	}{
		"average":    {golden("meta", "meta_01_kolden_congruence_r_all_estimators"), 11, "meta - --r r --n n --knha"},
		"moderators": {golden("meta", "meta_04_bcg_rr_metareg"), 9, "meta - --ai tpos --bi tneg --ci cpos --di cneg --measure RR --mods ablat+year --method PM"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := readFrame(t, c.file, 100)
			first, file := all.split(t, c.at)
			run := func(table string, more ...string) map[string]any {
				out, err := perform(t, strings.NewReader(table), append(append(parts(c.line), "--json"), more...)...)
				if err != nil {
					t.Fatal(err)
				}
				var o struct{ Result map[string]any }
				if err := json.Unmarshal([]byte(out), &o); err != nil {
					t.Fatal(err)
				}
				return o.Result
			}
			grown, before, whole := run(first, "--add", file), run(first), run(all.String())
			living := grown["living"].([]any)
			if want := len(all.rows) - c.at + 1; len(living) != want {
				t.Fatalf("%d results, want %d", len(living), want)
			}
			for _, x := range []struct {
				at   any
				want map[string]any
			}{{living[0], before}, {living[len(living)-1], whole}} {
				for _, path := range []string{"coefficients/*/estimate", "coefficients/*/se", "coefficients/*/p", "coefficients/*/upper", "tau2", "I2", "k", "QE/stat"} {
					ours, err := pick(x.at, path)
					if err != nil {
						t.Fatal(err)
					}
					want, err := pick(x.want["model"], path)
					if err != nil {
						t.Fatal(err)
					}
					for i := range want {
						if len(ours) != len(want) || math.Abs(ours[i]-want[i]) > 1e-9*(1+math.Abs(want[i])) {
							t.Errorf("%s is %v, by one fit %v", path, ours, want)
							break
						}
					}
				}
			}
			out, err := perform(t, strings.NewReader(first), append(parts(c.line), "--add", file)...)
			if err != nil || !strings.Contains(out, "As studies are added") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestStudiesThatCannotBeAdded(t *testing.T) {
	t.Parallel()
	const table = "y,v,g\n.1,.02,a\n.3,.04,b\n.2,.01,a\n.5,.02,b\n"
	for _, c := range []struct {
		line, added, says string
		usage             bool
	}{
		{"meta - --yi y --vi v", "y,w\n1,2\n", "there are y, w", true},
		{"meta - --yi y --vi v", "y,v\n1,0\n", "row 1", false},
		{"meta - --yi y --vi v", "y,v\n", "no row", false},
		{"meta - --yi y --vi v --mods g", "y,v,g\n.2,.1,c\n", "\"c\"", false},
		{"meta - --yi y --vi v --levels g", "y,v,g\n.2,.1,a\n", "--add is for models", true},
		{"meta - --yi y --vi v --cluster g --rve corr", "y,v,g\n.2,.1,a\n", "--add is for models", true},
	} {
		file := filepath.Join(t.TempDir(), "new.csv")
		if err := os.WriteFile(file, []byte(c.added), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := perform(t, strings.NewReader(table), append(parts(c.line), "--add", file)...)
		var usage *UsageError
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.As(err, &usage) != c.usage {
			t.Errorf("%s with %q: %v", c.line, c.added, err)
		}
	}
	if _, err := perform(t, strings.NewReader(table), "meta", "-", "--yi", "y", "--vi", "v", "--add", "-"); err == nil {
		t.Error("standard input is read twice")
	}
	if _, err := perform(t, strings.NewReader(table), "meta", "-", "--yi", "y", "--vi", "v", "--add", "nowhere.csv"); err == nil || !strings.Contains(err.Error(), "nowhere.csv") {
		t.Errorf("%v", err)
	}
}
