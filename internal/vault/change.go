// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

// ErrChanging tells that the key file is being changed, or that a change was
// interrupted and left its draft.
var ErrChanging = errors.New("vault: the key file is being changed")

// AddKey adds a key-encryption key to the key file and returns it. It unwraps
// and does not wrap yet, so that every running server can learn it
// ([Vault.Reload]) before [PromoteKey] makes it the primary one. The errors are
// those of [OpenLocked], [ErrManyKeys], and [ErrChanging] beside another change;
// a key that comes with an error is in the file, but may not survive a power cut.
func AddKey(ctx context.Context, path string, lock Lock) (KeyInfo, error) {
	keys, err := change(ctx, path, lock, lock, added)
	if len(keys) == 0 {
		return KeyInfo{}, err
	}
	return keys[len(keys)-1], err
}

// PromoteKey makes a key of the file the primary one, which wraps from then on.
// The former one stays and still unwraps. An unknown fingerprint gives
// [ErrNoSuchKey].
func PromoteKey(ctx context.Context, path string, lock Lock, fingerprint string) error {
	_, err := change(ctx, path, lock, lock, func(h *keyset.Handle) (*keyset.Handle, error) { return promoted(h, fingerprint) })
	return err
}

// RemoveKey removes a key that is not the primary one ([ErrPrimaryKey]). What is
// still wrapped under it is lost, in the database and in its backups: call it
// when [Vault.Rewrap] has been over all data keys and [Vault.WrappedUnder] names
// the key for none of them.
func RemoveKey(ctx context.Context, path string, lock Lock, fingerprint string) error {
	_, err := change(ctx, path, lock, lock, func(h *keyset.Handle) (*keyset.Handle, error) { return removed(h, fingerprint) })
	return err
}

// ChangeLock locks the key file anew: with another passphrase or command, or
// for the first time. The keys stay the same, and so does whatever could be
// read by somebody who has a copy of the file and its old lock; to shut them
// out, add, promote and remove keys.
func ChangeLock(ctx context.Context, path string, from, to Lock) error {
	_, err := change(ctx, path, from, to, func(h *keyset.Handle) (*keyset.Handle, error) { return h, nil })
	return err
}

// change replaces the key file as a whole, so that at every moment either the
// old or the new one is there. Its draft keeps a second change out.
func change(ctx context.Context, path string, from, to Lock, do func(*keyset.Handle) (*keyset.Handle, error)) (keys []KeyInfo, err error) {
	old, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s", ErrNoKey, path)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: examining the key file: %w", err)
	}
	// The file itself is replaced, not a link to it.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, fmt.Errorf("vault: finding the key file: %w", err)
	}
	draft := path + ".new"
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, keyFileMode)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: if nobody is changing it now, remove %s and try again", ErrChanging, draft)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: writing beside the key file: %w", err)
	}
	defer func() {
		if keys == nil { // the draft is still ours
			_ = f.Close()
			_ = os.Remove(draft)
		}
	}()
	text, changed, err := redraft(ctx, path, from, to, do)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	if err := keepOwner(f, old); err != nil {
		return nil, fmt.Errorf("vault: giving the key file its owner: %w", err)
	}
	if err := fill(f, text); err != nil {
		return nil, fmt.Errorf("vault: writing beside the key file: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return nil, fmt.Errorf("vault: replacing the key file: %w", err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return changed, fmt.Errorf("vault: the key file was replaced, but may not survive a power cut: %w", err)
	}
	return changed, nil
}

// redraft gives the text of the changed file, and its keys.
func redraft(ctx context.Context, path string, from, to Lock, do func(*keyset.Handle) (*keyset.Handle, error)) ([]byte, []KeyInfo, error) {
	old, err := readKeyFile(path)
	if err != nil {
		return nil, nil, err
	}
	defer clear(old)
	h, err := unlockKeys(ctx, path, old, from)
	if err != nil {
		return nil, nil, err
	}
	if h, err = do(h); err != nil {
		return nil, nil, err
	}
	r, err := newRing(h)
	if err != nil {
		return nil, nil, err
	}
	text, err := lockKeys(ctx, h, to)
	if err != nil {
		return nil, nil, err
	}
	return text, r.keys, nil
}
