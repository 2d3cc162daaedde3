// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

func source(data []byte) app.ImportSource {
	return app.ImportSource{Name: "file.csv", Size: int64(len(data)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

func mapping(t *testing.T, text string) *app.ImportMap {
	t.Helper()
	return get[*app.ImportMap](t)(app.ParseImportMap("map.yaml", []byte(text)))
}

const longMap = `
client: who
therapist: by
time: {column: at, format: iso}
instrument: {column: form, values: {C: session-client-adult, T: session-therapist}}
items: {bond1: b1, bond2: b2, tasks1: t1, tasks2: t2, goals1: g1, goals2: g2}
missing: [NA]
comment: said
`

const longFile = `who,by,at,form,b1,b2,t1,t2,g1,g2,said
K-1,CANARY-neri,2025-03-01 10:00,C,8,8,7,7,6,6,"well, so"
K-1,CANARY-neri,2025-03-01 10:00,T,9,9,8,8,7,7,
K-1,CANARY-neri,2025-03-08 10:00,C,8,NA,7,7,6,6,
K-1,neri@example.org,2025-03-15 10:00,C,8,8,7,7,6,6,
K-2,CANARY-costa,2025-03-02,C,5,5,5,5,5,5,
`

// TestImportLong: informants meet in their session, an empty item stays missing,
// colleagues get their clients, and the same file again changes nothing.
func TestImportLong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m := mapping(t, longMap)
		before := w.digest()
		dry := get[app.ImportPlan](t)(w.app.PreviewImport(w.ctx, w.neri, m, source([]byte(longFile)), nil))
		if w.digest() != before {
			t.Error("the preview wrote something")
		}
		plan := get[app.ImportPlan](t)(w.app.Import(w.ctx, w.neri, m, source([]byte(longFile)), nil))
		if plan.Responses != 5 || plan.Clients != 2 || plan.Sessions != 4 || plan.Total != 0 || dry.Responses != plan.Responses || dry.Clients != plan.Clients || dry.Sessions != plan.Sessions {
			t.Fatalf("dry %+v\nplan %+v", dry, plan)
		}
		v := w.page(w.neri, "K-1")
		if len(v.Sessions) != 3 || len(v.Alliance) != 1 || len(v.Alliance[0].Therapist) != 3 || len(v.Comments) != 1 || v.Comments[0].Text != "well, so" {
			t.Errorf("%d sessions, %+v, %+v", len(v.Sessions), v.Alliance, v.Comments)
		}
		if bond := v.Alliance[0].Client[0].Points; !bond[0].OK || bond[0].Value != 8 || bond[1].OK || !bond[2].OK {
			t.Errorf("bond %+v", bond)
		}
		if w.page(w.costa, "K-2").Client.Label != "K-2" {
			t.Error("the colleague did not get the client")
		}
		for _, r := range get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri)) {
			if r.Client.Label == "K-1" && (r.Unread != 0 || r.Hidden) {
				t.Errorf("imported ratings count as new: %+v", r)
			}
		}
		before = w.digest()
		again := get[app.ImportPlan](t)(w.app.Import(w.ctx, w.neri, m, source([]byte(longFile)), nil))
		if again.Responses != 0 || again.Known != 5 || w.digest() != before {
			t.Errorf("the same file again: %+v", again)
		}
	})
}

// page is the page of the client with a label.
func (w *world) page(a care.Actor, label string) app.ClientView {
	w.t.Helper()
	rows := get[[]app.CaseloadRow](w.t)(w.app.Caseload(w.ctx, a))
	i := slices.IndexFunc(rows, func(r app.CaseloadRow) bool { return r.Client.Label == label })
	if i < 0 {
		w.t.Fatalf("no client %q", label)
	}
	return get[app.ClientView](w.t)(w.app.ClientPage(w.ctx, a, rows[i].Client.ID, ""))
}

const wideMap = `
client: id
items: {total: "bdi_s{n}"}
wide: {from: 0, to: 12, start: 2024-01-08, every_days: 7}
missing: [NA]
definition: |
  id: depression-total
  version: 1
  kind: outcome
  languages: [en]
  name: {en: Depression total}
  title: {en: Depression}
  intro: {en: A total brought from elsewhere.}
  informant: client
  ages: [adult]
  period: week
  higher_is_better: false
  validated: false
  licence: {spdx: NONE, holder: the practice, notice: {en: A score only.}}
  items:
    - {id: total, text: {en: Total}, display: line, min: 0, max: 63, step: 1, low: {en: low}, high: {en: high}}
  scales:
    - {id: total, name: {en: Total}, dimension: whole, items: [total], method: sum, missing_allowed: 0, higher_is_better: false}
`

// TestImportWide brings 43 real people with 13 sessions each as outcome scores:
// every number where the file has it, and a gap exactly where it has none.
func TestImportWide(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/suddengains_sgdata_wide.csv")
	must(t, err)
	want, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	must(t, err)
	each(t, func(t *testing.T, w *world) {
		plan := get[app.ImportPlan](t)(w.app.Import(w.ctx, w.neri, mapping(t, wideMap), source(data), nil))
		scored := 0
		for _, row := range want[1:] {
			for _, cell := range row[1:14] {
				if cell != "NA" {
					scored++
				}
			}
		}
		if plan.Total != 0 || plan.Clients != 43 || plan.Responses != scored {
			t.Fatalf("%d scores in the file; %+v", scored, plan)
		}
		for _, row := range want[1:] {
			w.sameScores(row)
		}
	})
}

// sameScores compares a client's outcome course with a row of the file, gaps
// included, up to the last scored session.
func (w *world) sameScores(row []string) {
	w.t.Helper()
	v := w.page(w.neri, row[0])
	var have []string
	for _, p := range v.Outcome[0].Client[0].Points {
		if p.OK {
			have = append(have, fmt.Sprint(p.Value))
		} else {
			have = append(have, "NA")
		}
	}
	file := row[1:14]
	for file[len(file)-1] == "NA" {
		file = file[:len(file)-1]
	}
	if !slices.Equal(have, file) || v.Outcome[0].Client[0].HigherIsBetter {
		w.t.Errorf("client %s: %v, the file has %v", row[0], have, file)
	}
	if v.Verdict.Kind != alliance.TooLittle {
		w.t.Errorf("an outcome alone gives %s", v.Verdict.Kind)
	}
}

var errStop = errors.New("stopped by the person")

// TestImportStops: whenever it is stopped, nothing is kept.
func TestImportStops(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		before := w.digest()
		stages := map[string]bool{}
		for after := 0; ; after++ {
			n := 0
			_, err := w.app.Import(w.ctx, w.neri, mapping(t, longMap), source([]byte(longFile)), func(stage string, _, _ int64) error {
				if n++; n > after {
					stages[stage] = true
					return errStop
				}
				return nil
			})
			if err == nil {
				break
			}
			if !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			if w.digest() != before {
				t.Fatalf("stopped after %d steps: something was kept", after)
			}
		}
		if !stages["reading"] || !stages["saving"] || !stages["reading the courses"] {
			t.Errorf("stopped only while %v", stages)
		}
	})
}
