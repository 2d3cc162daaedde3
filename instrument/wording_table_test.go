// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

func rowsOf(table [][]string) (rows []instrument.TableRow) {
	for n, cells := range table[1:] {
		rows = append(rows, instrument.TableRow{Line: n + 2, Cells: cells})
	}
	return rows
}

// TestTable: the words of each form, written as a table and read again, are bound
// to the form itself, in the order of their answers.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, f := range library.All() {
		table, err := instrument.TableOf(instrument.WordingOf(f))
		if err != nil {
			t.Fatal(err)
		}
		w, err := instrument.WordingOfTable(f.ID, table[0], rowsOf(table))
		if err != nil {
			t.Fatal(err)
		}
		got := instrument.Bind(instrument.KeyOf(f), w, instrument.Choice{Ages: f.Ages, Version: f.Version})
		if !reflect.DeepEqual(got.Form, f) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", f.ID, got.Mismatches, got.Form, f)
		}
	}
}

// TestTableByHand: a table as people write one.
func TestTableByHand(t *testing.T) {
	t.Parallel()
	table := [][]string{
		{"item", "Text:IT", "above:it", "0:it", "1:it", "2,5:it", "declined:it"},
		{"owner", "(c) Nessuno"}, {"title", "Come va?"}, {"intro", "Pensi a ieri."},
		{"1", "Prima?", "", "no", "sì", "molto", "non so"}, {"", "", ""}, {"2", "Seconda?", "E adesso:"}, {"3", "Terza?", "", "mai", "spesso"},
	}
	w, err := instrument.WordingOfTable("t.csv", table[0], rowsOf(table))
	if err != nil {
		t.Fatal(err)
	}
	q := w.Questions()
	if len(q) != 3 || len(q[1].Options) != 4 || q[1].Options[2].Value != 2.5 || !q[1].Options[3].Declined || len(q[2].Options) != 2 || w.Owner["it"] != "(c) Nessuno" || w.Language != "it" {
		t.Errorf("%+v", w)
	}
	if w.Parts[2].Kind != instrument.ToldPart || w.Parts[2].Text["it"] != "E adesso:" {
		t.Errorf("%+v", w.Parts[2])
	}
	for _, c := range []struct {
		header, row, want string
	}{
		{"item;text;score", "1;x;1", `t.csv:1:3: The column "score" is unknown; known are item, text, above, declined, low, high, min, max, step, and the number of an answer.`},
		{"item;text;1;1", "1;x;a;b", `t.csv:1:4: The column "1" is there twice.`},
		{"item;1", "1;a", `t.csv:1:1: The column "text" is missing.`},
		{"item;text:italian;1", "1;x;a", `t.csv:1:2: "italian" is not a language such as "en" or "de-CH".`},
		{"item;text;1", ";x;a", `t.csv:2:1: The row has no name in the column "item".`},
		{"item;text;1", "1;;a", `t.csv:2:1: "1" has no text.`},
		{"item;text;1", "1;x;", `t.csv:2:1: "1" has no answers, and no row above has any.`},
		{"item;text;1;min", "1;x;a;0", `t.csv:2:1: "1" has both answers to choose and a line; leave one of them empty.`},
		{"item;text;min", "1;x;low", `t.csv:2:3: "min" must be a number, not "low".`},
		{"item;text", "title;x", `t.csv:1:1: The table has no question.`},
	} {
		_, err := instrument.WordingOfTable("t.csv", strings.Split(c.header, ";"), []instrument.TableRow{{Line: 2, Cells: strings.Split(c.row, ";")}})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v", c.header, err)
		}
	}
	w.Parts[1].Options = slices.Clone(q[2].Options)
	w.Parts[1].Options[0].Value = 1
	if _, err := instrument.TableOf(w); err == nil {
		t.Error("two answers of one number were written")
	}
}
