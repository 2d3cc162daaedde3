// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// lock keeps other processes from the database while this one writes to it: with
// two, each would believe its own view of sign-ins and throttling. The lock is a
// file of its own, because closing any handle on the database itself would drop
// SQLite's locks. It ends with the process, however that ends.
func lock(path string) (release func() error, err error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the lock beside the database cannot be made: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the database %s is in use by another process; stop it first, or use its pages", path), f.Close())
	}
	// Given up by name, not by closing alone: a child being started meanwhile holds
	// the same open file for a moment.
	return sync.OnceValue(func() error { return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close()) }), nil
}
