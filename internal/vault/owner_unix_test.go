// SPDX-License-Identifier: AGPL-3.0-or-later

//go:build unix

package vault

import (
	"os"
	"syscall"
	"testing"
)

// Root changes the key file of a service, which then still can read it.
func TestChangeKeepsTheOwner(t *testing.T) {
	t.Parallel()
	path, _ := create(t, NoLock())
	want := uint32(os.Geteuid())
	if want == 0 {
		want = 65534
		if err := os.Chown(path, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := AddKey(t.Context(), path, NoLock()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Uid; got != want || info.Mode().Perm() != 0o600 {
		t.Errorf("the file belongs to %d with mode %o, want %d and 600", got, info.Mode().Perm(), want)
	}
}
