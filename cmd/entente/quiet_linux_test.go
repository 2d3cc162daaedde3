// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"runtime"
	"syscall"
	"testing"
)

// TestQuietly: the work runs at the least priority, whoever waits for it does not,
// and gets its error.
func TestQuietly(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	mine := func() int {
		t.Helper()
		n, err := syscall.Getpriority(syscall.PRIO_PROCESS, syscall.Gettid())
		if err != nil {
			t.Error(err)
		}
		return 20 - n // as the kernel gives it
	}
	before := mine()
	want := errors.New("planted")
	if err := quietly(func() error {
		if n := mine(); n != 19 {
			t.Errorf("at priority %d", n)
		}
		return want
	}); !errors.Is(err, want) {
		t.Error(err)
	}
	if n := mine(); n != before {
		t.Errorf("the caller went from %d to %d", before, n)
	}
}
