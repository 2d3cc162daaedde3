// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/entente-project/entente/stats"
)

type session struct {
	Person string   `parquet:"person"`
	Number int32    `parquet:"number"`
	Score  *float64 `parquet:"score,optional"`
	Done   bool     `parquet:"done"`
}

func sessionsFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sessions.parquet")
	var rows []session
	for i := range 3000 {
		r := session{Person: string(rune('a' + i%3)), Number: int32(i), Done: i%2 == 0}
		if i%5 != 0 {
			v := float64(i) / 4
			r.Score = &v
		}
		rows = append(rows, r)
	}
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadParquet(t *testing.T) {
	t.Parallel()
	f, err := readParquet(sessionsFile(t), stats.CSVOptions{Factors: []string{"number"}})
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows() != 3000 || strings.Join(f.Names(), " ") != "person number score done" {
		t.Fatalf("%d rows of %v", f.Rows(), f.Names())
	}
	person, _ := f.Column("person")
	if v, ok := person.Level(2999); !ok || v != "c" {
		t.Errorf("person = %q, %v", v, ok)
	}
	number, _ := f.Column("number")
	if number.Kind() != stats.Factor {
		t.Errorf("number is %v", number.Kind())
	}
	score, _ := f.Column("score")
	if v, ok := score.Float(2999); !ok || math.Abs(v-749.75) > 0 {
		t.Errorf("score = %v, %v", v, ok)
	}
	if !score.Missing(2995) {
		t.Error("a null is not missing")
	}
	done, _ := f.Column("done")
	if v, _ := done.Float(2); v != 1 {
		t.Errorf("done = %v", v)
	}
}

func TestDamagedParquetIsAnError(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(sessionsFile(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.parquet")
	for _, damaged := range [][]byte{nil, []byte("PAR1"), whole[:len(whole)/2], append([]byte("x"), whole...)} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readParquet(path, stats.CSVOptions{}); err == nil {
			t.Errorf("%d damaged bytes are read", len(damaged))
		}
	}
}
