// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
)

// witness is a small file beside a SQLite database that says how many lines of
// the audit it had when a commit was last acknowledged. SQLite takes a damaged
// log for one that ends there, and an older file for the right one: both would
// pass for a database in which nothing happened. The witness is written after
// the commit and not synced: a power cut may leave it behind the database,
// never ahead.
type witness struct {
	file *os.File
	path string
	turn int64 // of two records one is always whole
	once sync.Once
}

const (
	witnessSuffix = "-witness"
	witnessRecord = 64
)

// openWitness opens the witness of the database at path. If there is none it is
// made or, for reading, nil. lines is what it says, 0 if it says nothing.
func openWitness(path string, reading bool) (w *witness, lines int64, err error) {
	w = &witness{path: path + witnessSuffix}
	how := os.O_CREATE | os.O_RDWR
	if reading {
		how = os.O_RDONLY
	}
	if w.file, err = os.OpenFile(w.path, how, 0o600); err != nil {
		if reading && errors.Is(err, os.ErrNotExist) {
			return nil, 0, nil
		}
		return nil, 0, fmt.Errorf("the witness of the database cannot be opened: %w", err)
	}
	for turn := range int64(2) {
		record := make([]byte, witnessRecord)
		if _, err := w.file.ReadAt(record, turn*witnessRecord); err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, errors.Join(fmt.Errorf("the witness %s cannot be read: %w", w.path, err), w.file.Close())
		}
		var n int64
		if _, err := fmt.Sscanf(string(record), "audit lines %d", &n); err == nil && string(record) == witnessOf(n) && n > lines {
			lines, w.turn = n, turn
		}
	}
	return w, lines, nil
}

func witnessOf(lines int64) string {
	text := fmt.Sprintf("audit lines %020d", lines)
	return fmt.Sprintf("%-*s%08x\n", witnessRecord-9, text, crc32.ChecksumIEEE([]byte(text)))
}

// note keeps a higher count. A failure is no failure of the commit: the witness
// then says less.
func (w *witness) note(lines int64) {
	w.turn = 1 - w.turn
	_, _ = w.file.WriteAt([]byte(witnessOf(lines)), w.turn*witnessRecord)
}

func (w *witness) close() (err error) {
	if w == nil {
		return nil
	}
	w.once.Do(func() { err = errors.Join(w.file.Sync(), w.file.Close()) })
	return err
}

// Forget removes the witness of the SQLite database at path, before another file
// takes that place.
func Forget(path string) error {
	if err := os.Remove(path + witnessSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the witness of the former database cannot be removed: %w", err)
	}
	return nil
}

// errLost is in the error for a database with fewer lines than the witness saw.
var errLost = errors.New("changes and reads that this database had acknowledged are missing: its log was damaged, or an older file was put in its place")

// contradicts is the error for a database with fewer lines than the witness saw.
func (w *witness) contradicts(have, saw int64) error {
	return fmt.Errorf("store: %d of %d %w; restore the newest backup or, to go on without them, remove %s first", saw-have, saw, errLost, w.path)
}
