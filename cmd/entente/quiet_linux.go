// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"runtime"
	"syscall"
)

// quietly runs f on a thread that gives way to all others: what is heavy and in no
// hurry must not be felt by those who write meanwhile. The thread ends with it,
// because nobody may take a priority back.
func quietly(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		const least = 19
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), least) // refused: as fast as before
		done <- f()
	}()
	return <-done
}
