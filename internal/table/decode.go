// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const chunk = 64 << 10

const (
	encUTF8    = "UTF-8"
	encUTF16LE = "UTF-16LE"
	encUTF16BE = "UTF-16BE"
	enc1252    = "Windows-1252"
)

// source counts and bounds the bytes of the file as stored.
type source struct {
	r    io.Reader
	max  int64
	read atomic.Int64
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	for tries := 0; n == 0 && err == nil && len(p) > 0; tries++ {
		if tries == emptyReads {
			return 0, io.ErrNoProgress
		}
		n, err = s.r.Read(p)
	}
	if s.read.Add(int64(n)) > s.max {
		return 0, &Problem{Code: CodeTooLarge, Args: map[string]string{"max": strconv.FormatInt(s.max, 10)}}
	}
	return n, err
}

// decoder turns the file into UTF-8. It passes UTF-8 through after checking it;
// while a file was only ASCII, the first chunk with another byte decides
// between UTF-8 and Windows-1252.
type decoder struct {
	src     *source
	name    string
	ascii   bool      // nothing but ASCII was seen, name is provisional
	pending []byte    // bytes of src that were looked at but not yet delivered
	carry   []byte    // the beginning of a character whose rest is still to come
	inner   io.Reader // for encodings other than UTF-8
	err     error     // to be returned once what precedes it was delivered
}

// newDecoder looks at the first chunk; what is no text is refused here.
func newDecoder(src *source) (*decoder, error) {
	head := make([]byte, chunk)
	n, err := io.ReadFull(src, head)
	head = head[:n]
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if n == 0 {
		return nil, &Problem{Code: CodeEmpty}
	}
	if kind := foreign(head); kind != "" {
		return nil, &Problem{Code: CodeNotText, Args: map[string]string{"kind": kind}}
	}
	d := &decoder{src: src, name: encUTF8, pending: head}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		d.pending = head[3:]
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		d.utf16(encUTF16LE, head[2:])
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		d.utf16(encUTF16BE, head[2:])
	default:
		if name := utf16Pattern(head); name != "" {
			d.utf16(name, head)
			break
		}
		if binary(head) {
			return nil, &Problem{Code: CodeNotText, Args: map[string]string{"kind": "binary"}}
		}
		d.ascii = true
	}
	return d, nil
}

func (d *decoder) encoding() string { return d.name }

func (d *decoder) utf16(name string, head []byte) {
	order := unicode.LittleEndian
	if name == encUTF16BE {
		order = unicode.BigEndian
	}
	d.name, d.pending = name, nil
	raw := io.MultiReader(bytes.NewReader(head), d.src)
	d.inner = transform.NewReader(raw, unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder())
}

// Read gives UTF-8 without NUL; p should have room for some thousand bytes.
func (d *decoder) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	var n int
	var err error
	if d.inner != nil {
		n, err = d.inner.Read(p)
		// The byte order mark has two bytes, so it does not change the parity.
		if errors.Is(err, io.EOF) && d.name != enc1252 && d.src.read.Load()%2 != 0 {
			err = encodingProblem(d.name)
		}
	} else {
		n, err = d.readUTF8(p)
	}
	if i := bytes.IndexByte(p[:n], 0); i >= 0 {
		n, err = i, &Problem{Code: CodeNul}
	}
	if err != nil {
		d.err = err
		if n > 0 {
			return n, nil
		}
	}
	return n, err
}

func (d *decoder) readUTF8(p []byte) (int, error) {
	had := copy(p, d.carry)
	d.carry = d.carry[:0]
	n, err := d.raw(p[had:])
	n += had
	atEnd := errors.Is(err, io.EOF)
	if err != nil && !atEnd {
		return 0, err
	}
	good, tail := validPrefix(p[:n])
	switch {
	case good == n:
	case tail && !atEnd:
		d.carry = append(d.carry, p[good:n]...)
		n = good
	case d.ascii && mostlyBroken(p[:n]):
		return d.to1252(p[:n]), nil
	default:
		return good, encodingProblem(encUTF8)
	}
	if d.ascii && !isASCII(p[:n]) {
		d.ascii = false
	}
	return n, err
}

// raw reads bytes of the file, first those that were already looked at.
func (d *decoder) raw(p []byte) (int, error) {
	if len(d.pending) > 0 {
		n := copy(p, d.pending)
		if d.pending = d.pending[n:]; len(d.pending) == 0 {
			d.pending = nil
		}
		return n, nil
	}
	return d.src.Read(p)
}

// to1252 delivers the ASCII beginning of b and reads the rest, and all that
// follows, as Windows-1252, whose printable part contains Latin-1.
func (d *decoder) to1252(b []byte) int {
	n := 0
	for n < len(b) && b[n] < utf8.RuneSelf {
		n++
	}
	rest := append(append([]byte(nil), b[n:]...), d.pending...)
	d.name, d.ascii, d.pending = enc1252, false, nil
	d.inner = transform.NewReader(io.MultiReader(bytes.NewReader(rest), d.src), charmap.Windows1252.NewDecoder())
	return n
}

func encodingProblem(name string) *Problem {
	return &Problem{Code: CodeEncoding, Args: map[string]string{"encoding": name}}
}

// validPrefix is how many bytes of b are valid UTF-8, and whether what follows
// is only a character that was cut at the end.
func validPrefix(b []byte) (n int, tail bool) {
	if utf8.Valid(b) {
		return len(b), false
	}
	for n < len(b) {
		if b[n] < utf8.RuneSelf {
			n++
			continue
		}
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size == 1 {
			return n, !utf8.FullRune(b[n:])
		}
		n += size
	}
	return n, false
}

// mostlyBroken tells text of a one-byte encoding, in which valid characters of
// several bytes are accidents, from UTF-8 with a damaged spot.
func mostlyBroken(b []byte) bool {
	valid, broken := 0, 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			broken++
		} else {
			valid++
		}
		i += size
	}
	return broken > valid
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
