// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// What can be wrong with the shares; each is matched with errors.Is.
var (
	ErrErased   = errors.New("vault: the person was erased")
	ErrNoShares = errors.New("vault: there is no folder of shares")
	ErrNoShare  = errors.New("vault: the share of a person is missing")
	ErrBadShare = errors.New("vault: the share of a person is damaged")
)

const (
	shareSize   = 32
	sharePrefix = "entente-share 1 "
	// As long as a share in hexadecimal, so that it covers every byte of one.
	shareErased = "erased----------------------------------------------------------"
	shareLength = len(sharePrefix) + 2*shareSize + 1 + 16 + 1
	shareMarker = "entente-shares"
	markerText  = "One file for each person; see docs/adr/0014-keys.md. Never in a backup of the database.\n"
)

// Shares is a folder with one small file for each person: 32 random bytes,
// without which that person's data key does not open. Overwriting the file makes
// the person unreadable in every copy of the database, earlier ones too, as long
// as no copy of the file itself is left. Several processes may use one folder.
type Shares struct {
	folder string
}

// CreateShares makes an empty folder for shares with mode 0700. A folder with
// anything in it gives [ErrExists].
func CreateShares(folder string) (*Shares, error) {
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return nil, fmt.Errorf("vault: making the folder of shares: %w", err)
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("vault: reading the folder of shares: %w", err)
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("%w: %s is not empty", ErrExists, folder)
	}
	// The marker tells this folder from the empty one below a disk that is not
	// mounted, where new shares would be lost.
	if err := writeNew(filepath.Join(folder, shareMarker), []byte(markerText)); err != nil {
		return nil, err
	}
	if err := syncFolder(filepath.Dir(folder)); err != nil {
		return nil, fmt.Errorf("vault: making the folder of shares: %w", err)
	}
	return OpenShares(folder)
}

// OpenShares uses a folder that [CreateShares] made. Any other gives
// [ErrNoShares], one that others may read [ErrPermissions].
func OpenShares(folder string) (*Shares, error) {
	text, err := os.ReadFile(filepath.Join(folder, shareMarker))
	if errors.Is(err, fs.ErrNotExist) || (err == nil && string(text) != markerText) {
		return nil, fmt.Errorf("%w at %s: is its disk mounted?", ErrNoShares, folder)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: opening the folder of shares: %w", err)
	}
	info, err := os.Stat(folder)
	if err != nil {
		return nil, fmt.Errorf("vault: examining the folder of shares: %w", err)
	}
	if open, perm := othersMay(info); open {
		return nil, fmt.Errorf("%w: the folder %s has mode %04o; run chmod 700 on it", ErrPermissions, folder, perm)
	}
	return &Shares{folder: folder}, nil
}

// nameOf is the file name of an owner. It tells an owner that is known, and
// nothing of one that is not: owners are random identifiers.
func nameOf(owner Place) string {
	d := sha256.Sum256(ownerAD("share", owner))
	return hex.EncodeToString(d[:])
}

// shareText is the content of the file of that name. The sum binds one to the
// other, so that an exchanged or changed file is damage, not another share.
func shareText(name string, content []byte) []byte {
	sum := sha256.New()
	_, _ = io.WriteString(sum, "entente/vault/1/share-sum\x00"+name)
	_, _ = sum.Write(content)
	text := make([]byte, 0, shareLength)
	text = append(append(text, sharePrefix...), content...)
	return append(hex.AppendEncode(append(text, ' '), sum.Sum(nil)[:8]), '\n')
}

// parseShare gives the share in text, or nil for an erased one; the caller
// clears it.
func parseShare(name string, text []byte) (share []byte, erased bool, err error) {
	if len(text) != shareLength {
		return nil, false, ErrBadShare
	}
	content := text[len(sharePrefix) : len(sharePrefix)+2*shareSize]
	want := shareText(name, content)
	defer clear(want)
	if !bytes.Equal(text, want) {
		return nil, false, ErrBadShare
	}
	if string(content) == shareErased {
		return nil, true, nil
	}
	share = make([]byte, shareSize)
	_, err = hex.Decode(share, content)
	if err != nil || !bytes.Equal(bytes.ToLower(content), content) {
		clear(share)
		return nil, false, ErrBadShare
	}
	return share, false, nil
}

// read gives the share of an owner; the caller clears it.
func (s *Shares) read(owner Place) ([]byte, error) {
	name := nameOf(owner)
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: that of %s; restore the newest copy of the shares", ErrNoShare, owner)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: reading the share of %s: %w", owner, err)
	}
	defer clear(text)
	share, erased, err := parseShare(name, text)
	if err != nil {
		return nil, fmt.Errorf("%w: that of %s; restore the newest copy of the shares", err, owner)
	}
	if erased {
		return nil, fmt.Errorf("%w: %s", ErrErased, owner)
	}
	return share, nil
}

// place puts a file there unless the owner already has one, and returns when it
// is durable. A linked file is whole from its first moment.
func (s *Shares) place(owner Place, content []byte) (err error) {
	name := nameOf(owner)
	f, err := os.CreateTemp(s.folder, ".draft-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	text := shareText(name, content)
	defer clear(text)
	if err := fill(f, text); err != nil {
		return err
	}
	if err := os.Link(f.Name(), filepath.Join(s.folder, name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(s.folder)
}

// obtain is read, after giving a new owner a share.
func (s *Shares) obtain(owner Place) ([]byte, error) {
	share, err := s.read(owner)
	if !errors.Is(err, ErrNoShare) {
		return share, err
	}
	fresh := make([]byte, shareSize)
	defer clear(fresh)
	_, _ = rand.Read(fresh) // never fails: the runtime ends the process instead
	content := hex.AppendEncode(nil, fresh)
	defer clear(content)
	if err := s.place(owner, content); err != nil {
		return nil, fmt.Errorf("vault: keeping a share for %s: %w", owner, err)
	}
	return s.read(owner) // of whoever was first
}

// erase overwrites the share of an owner where it lies, and leaves the word that
// there was one. It succeeds again and again, and on a damaged file too.
func (s *Shares) erase(owner Place) error {
	if err := s.place(owner, []byte(shareErased)); err != nil {
		return fmt.Errorf("vault: erasing %s: %w", owner, err)
	}
	name := nameOf(owner)
	f, err := os.OpenFile(filepath.Join(s.folder, name), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("vault: erasing %s: %w", owner, err)
	}
	text := shareText(name, []byte(shareErased))
	err = f.Truncate(int64(len(text)))
	if err := errors.Join(err, fill(f, text)); err != nil {
		return fmt.Errorf("vault: erasing %s: %w", owner, err)
	}
	if _, err := s.read(owner); !errors.Is(err, ErrErased) {
		return fmt.Errorf("vault: %s is not erased, try again: %w", owner, err)
	}
	return nil
}

// UseShares lets the vault make and open erasable keys. Call it before the vault
// is used.
func (v *Vault) UseShares(s *Shares) { v.shares.Store(s) }

// Erase makes everything that was sealed under an owner's erasable keys
// unreadable for good, here and in every copy of the database. It returns when
// that is durable, and may be called again. Erase before the rows are deleted:
// an interrupted erasure then leaves rows that nobody can read, and is finished
// by repeating it. It needs [Vault.UseShares], or gives [ErrNoShares].
//
// A key that was never erasable is refused from now on by every vault with these
// shares, but whoever has the key file and other means can still open it: see
// [Vault.MakeErasable].
func (v *Vault) Erase(owner Place) error {
	s := v.shares.Load()
	if s == nil {
		return fmt.Errorf("%w in use: %s cannot be erased", ErrNoShares, owner)
	}
	err := s.erase(owner)
	v.cache.dropOwner(owner)
	return err
}

// Erased reports whether the owner was erased. A restored copy of the database
// still has the rows of people who were erased after it was made: ask for each,
// and delete them again. It needs [Vault.UseShares], or gives [ErrNoShares].
func (v *Vault) Erased(owner Place) (bool, error) {
	if v.shares.Load() == nil {
		return false, fmt.Errorf("%w in use", ErrNoShares)
	}
	err := v.checkErased(owner)
	if errors.Is(err, ErrErased) {
		return true, nil
	}
	return false, err
}

// MakeErasable wraps a data key under a share of its owner too, and reports
// whether it had to. Copies of the database from before hold the key without the
// share; they close when the key-encryption key of that time is removed. The
// errors are those of [Vault.NewErasableKey] and [Vault.Unwrap].
func (v *Vault) MakeErasable(owner Place, wrapped []byte) ([]byte, bool, error) {
	inside, err := v.unwrapOuter(owner, wrapped)
	if err != nil {
		return nil, false, err
	}
	defer clear(inside)
	if wrapped[0] == wrapShared {
		return wrapped, false, nil
	}
	again, err := v.wrap(owner, inside, true)
	if err != nil {
		return nil, false, err
	}
	v.cache.dropOwner(owner) // a renewed key in memory would not be erasable
	return again, true, nil
}

// checkErased refuses an erased owner whose key needs no share.
func (v *Vault) checkErased(owner Place) error {
	s := v.shares.Load()
	if s == nil {
		return nil
	}
	share, err := s.read(owner)
	clear(share)
	if errors.Is(err, ErrNoShare) {
		return nil
	}
	return err
}

// shareBox seals and opens under the share of an owner.
func (v *Vault) shareBox(owner Place, obtain bool) (cipher.AEAD, error) {
	s := v.shares.Load()
	if s == nil {
		return nil, fmt.Errorf("%w in use: the key of %s needs one", ErrNoShares, owner)
	}
	read := s.read
	if obtain {
		read = s.obtain
	}
	share, err := read(owner)
	if err != nil {
		return nil, err
	}
	defer clear(share)
	return lockBox(share)
}

// openShared opens the inner wrapping of an erasable key; the caller clears it.
func (v *Vault) openShared(owner Place, sealed []byte) ([]byte, error) {
	box, err := v.shareBox(owner, false)
	if err != nil {
		return nil, err
	}
	inside, err := box.Open(nil, nil, sealed, ownerAD("share-wrap", owner))
	if err != nil {
		return nil, &TamperError{Place: owner}
	}
	return inside, nil
}

// String is "shares" and the folder.
func (s *Shares) String() string { return "shares in " + strings.TrimSpace(s.folder) }
