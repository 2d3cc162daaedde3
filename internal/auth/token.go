// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

const (
	tokenBytes    = 16
	tokenChars    = 26
	tokenRedacted = "[token redacted]"
	// More than any spacing a person would type; the rest is not looked at.
	maxTokenText = 256
)

// Crockford's base32 in lower case: no i, l, o, u, so that a token can be read
// aloud and typed.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// ErrToken tells that a text is not a token. It never quotes the text.
var ErrToken = errors.New("auth: this is not a complete code")

// Token is a 128-bit random secret for a link, an invitation or a sign-in
// session. It prints as "[token redacted]" in fmt, slog and JSON; only
// [Token.Text] shows it. The zero Token is not valid.
type Token struct {
	// A function, because fmt prints what it finds in unexported fields of other
	// structs, pointers followed, without asking our Format. It also keeps tokens
	// from being compared with ==, which would not be in constant time.
	reveal func() [tokenBytes]byte
}

func makeToken(b [tokenBytes]byte) Token {
	return Token{reveal: func() [tokenBytes]byte { return b }}
}

// NewToken makes a fresh token from the system's randomness.
func NewToken() Token {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime ends the process instead
	return makeToken(b)
}

// ParseToken reads what a person typed or a link carried: any case, spaces and
// dashes ignored, i and l read as 1, o as 0. Anything that is not exactly one
// token gives ErrToken.
func ParseToken(text string) (Token, error) {
	if len(text) > maxTokenText {
		return Token{}, ErrToken
	}
	clean := make([]byte, 0, tokenChars)
	for _, c := range text {
		switch {
		case c == '-', c == '\u2010', c == '\u2011', c == '\u2013', unicode.IsSpace(c):
			continue
		case c > unicode.MaxASCII || len(clean) == tokenChars:
			return Token{}, ErrToken
		}
		b := byte(c)
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		switch b {
		case 'i', 'l':
			b = '1'
		case 'o':
			b = '0'
		}
		clean = append(clean, b)
	}
	b, err := crockford.DecodeString(string(clean))
	// The last character carries 3 bits of 5; a second spelling of the same
	// token would defeat counting tries by text.
	if err != nil || len(b) != tokenBytes || crockford.EncodeToString(b) != string(clean) {
		return Token{}, ErrToken
	}
	return makeToken([tokenBytes]byte(b)), nil
}

// Text is the secret itself: 26 characters, 0-9 and a-z without i, l, o, u.
// The zero Token gives "".
func (t Token) Text() string {
	if t.reveal == nil {
		return ""
	}
	b := t.reveal()
	return crockford.EncodeToString(b[:])
}

// Grouped is [Token.Text] in groups of four or five with dashes, for print.
func (t Token) Grouped() string {
	s := t.Text()
	if s == "" {
		return ""
	}
	return strings.Join([]string{s[0:4], s[4:8], s[8:13], s[13:17], s[17:21], s[21:26]}, "-")
}

// Hash is what is stored and looked up: SHA-256 of the token under a domain
// ("invitation", "session"), so that a token of one kind never passes as
// another. A fast hash is enough, for the token is fully random. It panics on
// the zero Token, whose hash would be the same for all.
func (t Token) Hash(domain string) [32]byte {
	if t.reveal == nil {
		panic("auth: the zero Token was hashed")
	}
	secret := t.reveal()
	b := make([]byte, 0, 64+len(domain))
	b = append(b, "entente/token/1\x00"...)
	b = binary.AppendUvarint(b, uint64(len(domain)))
	b = append(b, domain...)
	return sha256.Sum256(append(b, secret[:]...))
}

// Equal compares two tokens in constant time; the zero Token equals nothing.
func (t Token) Equal(o Token) bool {
	if t.reveal == nil || o.reveal == nil {
		return false
	}
	a, b := t.reveal(), o.reveal()
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// IsZero reports whether the token was never made or parsed.
func (t Token) IsZero() bool { return t.reveal == nil }

// Format writes "[token redacted]" for every verb and flag.
func (Token) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, tokenRedacted) }

// String is "[token redacted]".
func (Token) String() string { return tokenRedacted }

// GoString is "[token redacted]".
func (Token) GoString() string { return tokenRedacted }

// LogValue is "[token redacted]".
func (Token) LogValue() slog.Value { return slog.StringValue(tokenRedacted) }

// MarshalJSON is the string "[token redacted]": use [Token.Text] on purpose.
func (Token) MarshalJSON() ([]byte, error) { return []byte(`"` + tokenRedacted + `"`), nil }

// MarshalText is "[token redacted]".
func (Token) MarshalText() ([]byte, error) { return []byte(tokenRedacted), nil }
