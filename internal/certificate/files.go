// SPDX-License-Identifier: AGPL-3.0-or-later

package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"
)

// lookAgain is how old the last look at the files may be at a handshake.
const lookAgain = 10 * time.Second

// Files is a certificate in two files that somebody else renews. They are read
// again when they have changed; what cannot be used then is logged, and the last
// good one stays.
type Files struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu     sync.Mutex
	looked time.Time
	sum    [sha256.Size]byte // of what was read last, good or not
	last   *tls.Certificate
}

// FromFiles reads a certificate with its chain and its key, both PEM. Errors are
// a sentence that names the file: unreadable, readable by everybody, no pair,
// ended, or not begun.
func FromFiles(cert, key string, now func() time.Time, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, now: now, log: log}
	c, sum, err := f.read()
	if err != nil {
		return nil, err
	}
	f.last, f.sum, f.looked = c, sum, now()
	return f, nil
}

// TLS gives the settings of a server.
func (f *Files) TLS() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current(), nil })
}

// Leaf is the certificate in use.
func (f *Files) Leaf() *x509.Certificate { return f.current().Leaf }

func (f *Files) current() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if since := now.Sub(f.looked); since < lookAgain && since >= 0 {
		return f.last
	}
	f.looked = now
	c, sum, err := f.read()
	if bytes.Equal(sum[:], f.sum[:]) {
		return f.last // the same, or as wrong as it was
	}
	f.sum = sum
	if err != nil {
		f.log.Error("the changed certificate is not used, the one before stays", "err", err)
		return f.last
	}
	f.log.Info("the certificate was read again", "ends", day(c.Leaf.NotAfter))
	f.last = c
	return c
}

// read also gives a sum of what it found, by which a change is known; an error
// has the sum of its words.
func (f *Files) read() (c *tls.Certificate, sum [sha256.Size]byte, err error) {
	chain, err := f.file(f.cert, "certificate")
	if err != nil {
		return nil, sha256.Sum256([]byte(err.Error())), err
	}
	key, err := f.file(f.key, "key of the certificate")
	if err != nil {
		return nil, sha256.Sum256([]byte(err.Error())), err
	}
	defer clear(key)
	sum = sha256.Sum256(append(append([]byte(nil), chain...), key...))
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, sum, fmt.Errorf("%s and %s are no certificate and its key: %w", f.cert, f.key, err)
	}
	switch now := f.now(); {
	case now.After(pair.Leaf.NotAfter):
		return nil, sum, fmt.Errorf("the certificate in %s ended on %s; put its successor there", f.cert, day(pair.Leaf.NotAfter))
	case now.Before(pair.Leaf.NotBefore):
		return nil, sum, fmt.Errorf("the certificate in %s begins on %s; is the clock of this machine right?", f.cert, day(pair.Leaf.NotBefore))
	}
	return &pair, sum, nil
}

func (f *Files) file(path, what string) ([]byte, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no %s at %s", what, path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("this program may not read the %s at %s; give its user the right to", what, path)
	case err != nil:
		return nil, fmt.Errorf("the %s cannot be read: %w", what, err)
	}
	if path != f.key || runtime.GOOS == "windows" {
		return data, nil
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("everybody on this machine may read the key at %s; take that away: chmod o= %s", path, path)
	}
	return data, nil
}
