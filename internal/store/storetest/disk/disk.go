// SPDX-License-Identifier: AGPL-3.0-or-later

package disk

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"
)

// Disk is one invented disk with one folder. It is safe for concurrent use.
type Disk struct {
	folder string

	mu       sync.Mutex
	rng      *rand.Rand
	off      bool              // the power is cut: nothing works
	life     int               // counts power cuts: handles of an earlier life are dead
	names    map[string]*inode // the folder as the running system sees it
	kept     map[string]*inode // the folder as the disk holds it
	moves    []move            // what happened to the folder since its last sync
	left     int               // changes until the power is cut; 0: never
	changes  int
	cutAt    string // what was being done when the power was cut
	capacity int64  // 0: no end
	readOnly bool
	rule     func(Op) Fault
}

// move is a file made or, with a nil inode, deleted.
type move struct {
	name string
	node *inode
}

// Kind is what is asked of a disk.
type Kind int

// What a rule given to Break can tell apart.
const (
	Read Kind = iota
	Write
	Truncate
	Sync
)

// Op is one thing asked of a disk: Size bytes at offset At of a file.
type Op struct {
	Kind     Kind
	File     string // its name in the folder
	At, Size int64
}

// Fault is how an operation ends.
type Fault int

const (
	// None lets the operation go on.
	None Fault = iota
	// Broken fails it with an input/output error; of a write a part may arrive,
	// of a sync any of the writes it was for.
	Broken
	// NoSpace fails a write as a full disk does, after a part of it.
	NoSpace
)

// New returns an empty disk whose folder is t's own and exists until t ends.
// What chance decides on it follows from seed.
func New(t testing.TB, seed uint64) *Disk {
	t.Helper()
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &Disk{folder: folder, rng: rand.New(rand.NewPCG(seed, 0)), names: map[string]*inode{}, kept: map[string]*inode{}} //nolint:gosec // a test must be able to repeat its chances
	if err := mount(d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unmount(d) })
	return d
}

// Path is the path of a file of the disk's folder, for whoever opens databases.
func (d *Disk) Path(name string) string { return filepath.Join(d.folder, name) }

// Break asks rule what becomes of each operation from now on; nil ends it. rule
// is called by one operation at a time and must not use the disk.
func (d *Disk) Break(rule func(Op) Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rule = rule
}

// SetCapacity lets files grow to n bytes in all and not beyond; 0 is no limit.
func (d *Disk) SetCapacity(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = n
}

// SetReadOnly makes every change fail, in files that are open too, as a file
// system does that was mounted again for reading after an error.
func (d *Disk) SetReadOnly(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readOnly = yes
}

// Used is how many bytes the files hold now.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used()
}

func (d *Disk) used() (n int64) {
	for _, f := range d.names {
		n += int64(len(f.now))
	}
	return n
}

// Changes is how many writes, truncations, syncs, creations and deletions were
// asked of the disk so far.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Names lists the files.
func (d *Disk) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.names))
}

// Flip changes the bits of mask in the byte at offset at of a file, for the
// system and on the disk, without anybody noticing.
func (d *Disk) Flip(name string, at int64, mask byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[name]
	if f == nil || at < 0 || at >= int64(len(f.now)) {
		return fmt.Errorf("disk: %s has no byte %d", name, at)
	}
	f.now[at] ^= mask
	if at < int64(len(f.kept)) {
		f.kept[at] ^= mask
	}
	return nil
}

// Overwrite writes into a file as a program does that has it open, and Sync
// syncs it; both fail as the disk's faults have it.
func (d *Disk) Overwrite(name string, at int64, b []byte) error {
	return d.use(name, func(h *handle) int32 { return h.write(b, at) })
}

// Sync makes everything written to a file so far certain.
func (d *Disk) Sync(name string) error {
	return d.use(name, func(h *handle) int32 { return h.sync() })
}

func (d *Disk) use(name string, f func(*handle) int32) error {
	h, _, code := d.open(name, sqlite3.SQLITE_OPEN_READWRITE)
	if code == sqlite3.SQLITE_OK {
		defer h.close()
		code = f(h)
	}
	if code != sqlite3.SQLITE_OK {
		return fmt.Errorf("disk: %s: SQLite's code %d", name, code)
	}
	return nil
}

// Image is a copy of what the running system would read from every file.
func (d *Disk) Image() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string][]byte{}
	for name, f := range d.names {
		out[name] = slices.Clone(f.now)
	}
	return out
}

// Load makes the disk hold exactly image, for certain. Handles that are open
// are dead from then on.
func (d *Disk) Load(image map[string][]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.begin(image)
}

// begin starts a new life of the disk with these files.
func (d *Disk) begin(image map[string][]byte) {
	d.life++
	d.left, d.moves = 0, nil
	d.names, d.kept = map[string]*inode{}, map[string]*inode{}
	for name, b := range image {
		f := &inode{now: slices.Clone(b), kept: slices.Clone(b)}
		d.names[name], d.kept[name] = f, f
	}
}
