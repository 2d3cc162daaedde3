// SPDX-License-Identifier: AGPL-3.0-or-later

package i18n

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// load reads the files of one language as they are written: a text, or plural
// forms of one.
func load(t *testing.T, lang string) map[string]any {
	t.Helper()
	out := map[string]any{}
	names, err := fs.Glob(files, "messages/*."+lang+".yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no messages in %q: %v", lang, err)
	}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := yaml.Unmarshal(data, &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for k, v := range m {
			if _, twice := out[k]; twice {
				t.Errorf("%s: %q stands in two files", name, k)
			}
			out[k] = v
		}
	}
	return out
}

var place = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

// places are the names that a message wants filled, in any of its forms.
func places(v any) []string {
	found := map[string]bool{}
	for _, m := range place.FindAllStringSubmatch(fmt.Sprint(v), -1) {
		if m[1] != "Count" { // one form may say "one" in words
			found[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func TestEveryLanguageSaysTheSame(t *testing.T) {
	t.Parallel()
	en, it := load(t, English), load(t, Italian)
	for k := range it {
		if _, ok := en[k]; !ok {
			t.Errorf("%q is missing in English", k)
		}
	}
	for k, v := range en {
		w, ok := it[k]
		if !ok {
			t.Errorf("%q is missing in Italian", k)
			continue
		}
		if !slices.Equal(places(v), places(w)) {
			t.Errorf("%q wants %v filled in English and %v in Italian", k, places(v), places(w))
		}
		if fmt.Sprintf("%T", v) != fmt.Sprintf("%T", w) {
			t.Errorf("%q has plural forms in one language only", k)
		}
	}
	for lang, all := range map[string]map[string]any{English: en, Italian: it} {
		for k, v := range all {
			if strings.TrimSpace(fmt.Sprint(v)) == "" || v == nil {
				t.Errorf("%q is empty in %s", k, lang)
			}
			if !For(lang).Has(k) {
				t.Errorf("%q in %s was not taken in", k, lang)
			}
		}
	}
}

// asked finds the ids of messages in templates and Go files. Ids that are put
// together at run time are not seen: whoever does that tests them beside.
var asked = map[string]*regexp.Regexp{
	".html": regexp.MustCompile(`\b[TN] "([a-z][a-z0-9_.]*)"`),
	".go":   regexp.MustCompile(`(?:\.[TN]\(|Key:\s*|Bad\([^()]*,\s*)"([a-z][a-z0-9_]*\.[a-z0-9_.]*[a-z0-9_])"`),
}

func TestEveryMessageAskedForExists(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, root := range []string{"../web", "../app", "../care", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			pattern := asked[filepath.Ext(path)]
			if err != nil || d.IsDir() || pattern == nil || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range pattern.FindAllStringSubmatch(string(data), -1) {
				seen++
				for _, lang := range Languages() {
					if !For(lang).Has(m[1]) {
						t.Errorf("%s asks for %q, which %s does not have", path, m[1], lang)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if seen < 50 {
		t.Errorf("only %d messages are asked for: the patterns of this test no longer fit", seen)
	}
}

func TestMessagesPutTogether(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, code := range []string{"invalid", "not_found", "forbidden", "conflict", "unavailable", "internal"} {
		ids = append(ids, "error."+code, "error."+code+".title")
	}
	for _, code := range []string{"too_short", "too_long", "invalid", "common", "repetitive", "sequential", "names"} {
		ids = append(ids, "password."+code)
	}
	for _, id := range ids {
		if !For(English).Has(id) {
			t.Errorf("no message %q", id)
		}
	}
}
