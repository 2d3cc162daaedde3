// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/fhir"
	"github.com/entente-project/entente/internal/table"
)

// maxWording bounds a file of words.
const maxWording = 8 << 20

// ReadWording reads the words of a questionnaire from a file: a FHIR
// Questionnaire, a table, or the YAML of a form, told by its name and, where that
// says nothing, by its beginning. The error says what is wrong, and where.
func ReadWording(name string, data []byte) (*instrument.Wording, error) {
	begin := bytes.TrimSpace(bytes.TrimPrefix(data[:min(len(data), 512)], []byte("\xef\xbb\xbf")))
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case ext == ".json" || bytes.HasPrefix(begin, []byte("{")) || bytes.HasPrefix(begin, []byte("[")) || bytes.HasPrefix(begin, []byte("<")):
		return fhir.Decode(bytes.NewReader(data))
	case ext == ".yaml" || ext == ".yml":
		f, err := instrument.Parse(name, data)
		if err != nil {
			return nil, err
		}
		return instrument.WordingOf(f), nil
	case ext == ".csv" || ext == ".tsv" || ext == ".txt" || bytes.HasPrefix(bytes.ToLower(begin), []byte("item")):
		return readTable(name, data)
	}
	f, err := instrument.Parse(name, data)
	if err != nil {
		return nil, err
	}
	return instrument.WordingOf(f), nil
}

// mostRows is far above the items of any questionnaire.
const mostRows = 2000

func readTable(name string, data []byte) (*instrument.Wording, error) {
	r, err := table.Open(name, bytes.NewReader(data), table.Options{MaxBytes: maxWording})
	if err != nil {
		return nil, fmt.Errorf("the table of words: %w", err)
	}
	var rows []instrument.TableRow
	for r.Next() {
		row := r.Row()
		if len(rows) >= mostRows {
			return nil, fmt.Errorf("%s: the table has more than %d rows; a questionnaire has far fewer", name, mostRows)
		}
		rows = append(rows, instrument.TableRow{Line: row.Line, Cells: append([]string(nil), row.Cells...)})
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("the table of words: %w", err)
	}
	return instrument.WordingOfTable(name, r.Columns(), rows)
}
