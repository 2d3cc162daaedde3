// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Place says where a sealed value belongs. All five fields are authenticated
// with the value: it opens only in the very place it was sealed for. A field
// that does not apply stays empty. Context holds whatever else must not be
// exchanged unseen (session, form, time).
type Place struct {
	Practice, Table, Row, Column, Context string
}

// String names the place for an error or a log: the identifiers, quoted, and
// only those that are set. It never contains a sealed value.
func (p Place) String() string {
	var b strings.Builder
	for _, f := range []struct{ name, value string }{
		{"practice", p.Practice}, {"table", p.Table}, {"row", p.Row},
		{"column", p.Column}, {"context", p.Context},
	} {
		if f.value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s=%q", f.name, f.value)
	}
	if b.Len() == 0 {
		return "unnamed place"
	}
	return b.String()
}

// append adds the five fields to dst, each after its length, so that no two
// different places have the same bytes.
func (p Place) append(dst []byte) []byte {
	for _, f := range [...]string{p.Practice, p.Table, p.Row, p.Column, p.Context} {
		dst = binary.AppendUvarint(dst, uint64(len(f)))
		dst = append(dst, f...)
	}
	return dst
}

// ErrTampered is matched (errors.Is) by every [TamperError].
var ErrTampered = errors.New("vault: a sealed record does not verify")

// TamperError tells that a sealed value or a wrapped key was changed, cut,
// moved from another place, or sealed under another key. Place is the place
// that was asked for. The error never carries content.
type TamperError struct {
	Place Place
}

// Error names the record and what to do.
func (e *TamperError) Error() string {
	return "vault: the sealed record at " + e.Place.String() +
		" was changed, moved or sealed under another key; restore it from a backup"
}

// Is reports that every TamperError is an [ErrTampered].
func (e *TamperError) Is(target error) bool { return target == ErrTampered }
