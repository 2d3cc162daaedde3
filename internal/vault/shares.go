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
	share, erased, err := s.load(nameOf(owner))
	switch {
	case errors.Is(err, ErrNoShare) || errors.Is(err, ErrBadShare):
		return nil, fmt.Errorf("%w: that of %s; restore the newest copy of the shares", err, owner)
	case err != nil:
		return nil, fmt.Errorf("vault: reading the share of %s: %w", owner, err)
	case erased:
		return nil, fmt.Errorf("%w: %s", ErrErased, owner)
	}
	return share, nil
}

// load gives the share in a file, or that it is erased; the caller clears it.
func (s *Shares) load(name string) (share []byte, erased bool, err error) {
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, ErrNoShare
	}
	if err != nil {
		return nil, false, err
	}
	defer clear(text)
	return parseShare(name, text)
}

// place puts a file there unless there is one, and returns when it is durable. A
// linked file is whole from its first moment.
func (s *Shares) place(name string, content []byte) (err error) {
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

// overwrite replaces what is in a file where it lies.
func (s *Shares) overwrite(name string, content []byte) error {
	f, err := os.OpenFile(filepath.Join(s.folder, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	text := shareText(name, content)
	defer clear(text)
	err = f.Truncate(int64(len(text)))
	return errors.Join(err, fill(f, text))
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
	if err := s.place(nameOf(owner), content); err != nil {
		return nil, fmt.Errorf("vault: keeping a share for %s: %w", owner, err)
	}
	return s.read(owner) // of whoever was first
}

// erase overwrites a share and leaves the word that there was one. It succeeds
// again and again, on a damaged file too, and for who never had a share.
func (s *Shares) erase(name string) error {
	if err := s.place(name, []byte(shareErased)); err != nil {
		return err
	}
	if err := s.overwrite(name, []byte(shareErased)); err != nil {
		return err
	}
	if _, erased, err := s.load(name); !erased {
		return errors.Join(errors.New("vault: the share is not erased, try again"), err)
	}
	return nil
}

// CopyTo brings a copy of the shares up to date: it adds what the copy lacks,
// mends what is damaged there, and erases there whoever is erased here. Who is
// erased in the copy stays erased in it, so that the same call restores a copy
// without bringing anybody back. It reports how many it added and erased. A
// share that is damaged here, or another one there, gives [ErrBadShare] once
// everything else is done.
func (s *Shares) CopyTo(to *Shares) (added, erased int, err error) {
	files, err := os.ReadDir(s.folder)
	if err != nil {
		return 0, 0, fmt.Errorf("vault: reading the folder of shares: %w", err)
	}
	var bad error
	for _, f := range files {
		if len(f.Name()) != 2*sha256.Size {
			continue // the marker, and drafts
		}
		a, e, err := s.copyOne(f.Name(), to)
		if errors.Is(err, ErrBadShare) {
			bad = errors.Join(bad, fmt.Errorf("%w: file %s", err, f.Name()))
		} else if err != nil {
			return added, erased, fmt.Errorf("vault: copying the share %s: %w", f.Name(), err)
		}
		added, erased = added+a, erased+e
	}
	return added, erased, bad
}

func (s *Shares) copyOne(name string, to *Shares) (added, erased int, err error) {
	share, gone, err := s.load(name)
	if err != nil {
		return 0, 0, err
	}
	defer clear(share)
	there, goneThere, err := to.load(name)
	defer clear(there)
	content := hex.AppendEncode(nil, share)
	defer clear(content)
	switch {
	case err == nil && goneThere:
		return 0, 0, nil
	case gone:
		return 0, 1, to.erase(name)
	case errors.Is(err, ErrNoShare):
		return 1, 0, to.place(name, content)
	case errors.Is(err, ErrBadShare):
		return 1, 0, to.overwrite(name, content)
	case err == nil && !bytes.Equal(share, there):
		return 0, 0, ErrBadShare
	}
	return 0, 0, err
}

// UseShares lets the vault make and open erasable keys. Call it before the vault
// is used.
func (v *Vault) UseShares(s *Shares) { v.shares.Store(s) }

// HasShares reports whether the vault can make, open and erase erasable keys.
func (v *Vault) HasShares() bool { return v.shares.Load() != nil }

// CopyShares names the one copy of the shares: [Vault.Erase] reaches it too, and
// [Vault.SyncShares] brings it up to date. Call it before the vault is used.
func (v *Vault) CopyShares(to *Shares) { v.copied.Store(to) }

// SyncShares is [Shares.CopyTo] to the copy that [Vault.CopyShares] named. Without one
// it does nothing.
func (v *Vault) SyncShares() (added, erased int, err error) {
	s, to := v.shares.Load(), v.copied.Load()
	if s == nil || to == nil {
		return 0, 0, nil
	}
	return s.CopyTo(to)
}

// Erasable reports whether a wrapped data key says that it opens only with its
// owner's share. It is certain once the key was unwrapped.
func Erasable(wrapped []byte) bool { return len(wrapped) > 0 && wrapped[0] == wrapShared }

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
	err := s.erase(nameOf(owner))
	v.cache.dropOwner(owner)
	if to := v.copied.Load(); to != nil && err == nil {
		err = to.erase(nameOf(owner))
	}
	if err != nil {
		return fmt.Errorf("vault: erasing %s: %w", owner, err)
	}
	return nil
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
