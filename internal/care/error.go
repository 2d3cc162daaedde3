// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an Error is. There are six and no more.
type Code string

// The six codes.
const (
	Invalid     Code = "invalid"     // what was sent cannot be accepted; Field and Key say why
	NotFound    Code = "not_found"   // no such record, or none for this person
	Forbidden   Code = "forbidden"   // known person, known record, not allowed to do this
	Conflict    Code = "conflict"    // the record changed or exists already
	Unavailable Code = "unavailable" // try again later; what was sent may be kept all the same if the disk failed, and counts once
	Internal    Code = "internal"    // a fault of ours
)

// Error is what every use case returns when it fails for a reason a person can
// act on. Key names the message (see package i18n), Field the input it is
// about, Args the values the message needs. Err keeps the cause for operators.
type Error struct {
	Code  Code
	Field string
	Key   string
	Args  map[string]string
	Err   error
}

// Error gives the operator's line: code, field, key and cause.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Field != "" {
		s += " " + e.Field
	}
	if e.Key != "" {
		s += ": " + e.Key
	}
	if e.Err != nil {
		s += fmt.Sprintf(": %v", e.Err)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err: Internal when err is not an Error, "" when nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Bad returns an Invalid error about field, with the message key.
func Bad(field, key string) *Error { return &Error{Code: Invalid, Field: field, Key: key} }

// Missing returns the not_found error that a stranger and a missing record share.
func Missing() *Error { return &Error{Code: NotFound, Key: "error.not_found"} }

// Denied returns a forbidden error.
func Denied() *Error { return &Error{Code: Forbidden, Key: "error.forbidden"} }
