// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const (
	keyFileMode = 0o600
	folderMode  = 0o700
)

// readKeyFile returns the text of a key file that only its owner may read; the
// caller clears it.
func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s: create one, or name the file that was used with this database", ErrNoKey, path)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: opening the key file: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read from
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("vault: examining the key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrBadKey, path)
	}
	if open, perm := othersMay(info); open {
		return nil, fmt.Errorf("%w: %s has mode %04o; run chmod 600 on it", ErrPermissions, path, perm)
	}
	text, err := readAtMost(f, maxKeyFile)
	if err != nil {
		return nil, fmt.Errorf("vault: reading the key file: %w", err)
	}
	if len(text) > maxKeyFile {
		clear(text)
		return nil, fmt.Errorf("%w: %s is too long", ErrBadKey, path)
	}
	return text, nil
}

// othersMay reports whether group or others may do anything with a file.
func othersMay(info fs.FileInfo) (bool, fs.FileMode) {
	perm := info.Mode().Perm()
	// Windows keeps access lists, and reports made-up mode bits.
	return perm&0o077 != 0 && runtime.GOOS != "windows", perm
}

// writeNew creates path with the text and returns once both are durable. After
// a failure nothing is left behind.
func writeNew(path string, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, keyFileMode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s was left as it is", ErrExists, path)
	}
	if err != nil {
		return fmt.Errorf("vault: creating the key file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path)
			err = fmt.Errorf("vault: writing the key file: %w", err)
		}
	}()
	if err = fill(f, text); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// fill writes text to f, makes it durable and closes it.
func fill(f *os.File, text []byte) error {
	_, err := f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be opened for syncing there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
