// SPDX-License-Identifier: AGPL-3.0-or-later

package disk

import (
	sqlite3 "modernc.org/sqlite/lib"
)

// handle is one open file. Its methods answer with SQLite's codes, the ones its
// own Unix layer gives for the same trouble.
type handle struct {
	disk       *Disk
	life       int
	name       string
	node       *inode
	readOnly   bool
	syncFolder bool // with the next sync

	shared, exclusive uint16 // locks on shared memory
	mapped            *sharedMemory
}

// open answers with a handle, and the flags that were granted.
func (d *Disk) open(name string, flags int32) (*handle, int32, int32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, 0, sqlite3.SQLITE_CANTOPEN
	}
	create := flags&sqlite3.SQLITE_OPEN_CREATE != 0
	h := &handle{disk: d, life: d.life, name: name, node: d.names[name]}
	h.syncFolder = create && flags&(sqlite3.SQLITE_OPEN_MAIN_JOURNAL|sqlite3.SQLITE_OPEN_SUPER_JOURNAL|sqlite3.SQLITE_OPEN_WAL) != 0
	if d.readOnly {
		h.readOnly = true
		flags = flags&^(sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE) | sqlite3.SQLITE_OPEN_READONLY
	}
	if h.node != nil {
		return h, flags, sqlite3.SQLITE_OK
	}
	if !create || d.readOnly {
		return nil, 0, sqlite3.SQLITE_CANTOPEN
	}
	h.node = &inode{}
	d.move(name, h.node)
	if d.cutHere("create", name) {
		return nil, 0, sqlite3.SQLITE_CANTOPEN
	}
	return h, flags, sqlite3.SQLITE_OK
}

func (d *Disk) move(name string, node *inode) {
	if node == nil {
		delete(d.names, name)
	} else {
		d.names[name] = node
	}
	d.moves = append(d.moves, move{name, node})
}

func (d *Disk) remove(name string, syncFolder bool) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.off || d.readOnly:
		return sqlite3.SQLITE_IOERR_DELETE
	case d.names[name] == nil:
		return sqlite3.SQLITE_IOERR_DELETE_NOENT
	}
	d.move(name, nil)
	if d.cutHere("delete", name) {
		return sqlite3.SQLITE_IOERR_DELETE
	}
	if syncFolder {
		d.syncFolder()
	}
	return sqlite3.SQLITE_OK
}

// access reports whether a file is there for what flags ask.
func (d *Disk) access(name string, flags int32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[name]
	switch {
	case d.off || f == nil:
		return false
	case flags == sqlite3.SQLITE_ACCESS_EXISTS:
		return len(f.now) > 0
	case flags == sqlite3.SQLITE_ACCESS_READWRITE:
		return !d.readOnly
	}
	return true
}

// dead: the power was cut since the file was opened.
func (h *handle) dead() bool { return h.disk.off || h.life != h.disk.life }

func (h *handle) fault(kind Kind, at, size int64) Fault {
	if h.disk.rule == nil {
		return None
	}
	return h.disk.rule(Op{Kind: kind, File: h.name, At: at, Size: size})
}

func (h *handle) read(b []byte, at int64) int32 {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.dead() || h.fault(Read, at, int64(len(b))) != None {
		return sqlite3.SQLITE_IOERR_READ
	}
	n := 0
	if at < int64(len(h.node.now)) {
		n = copy(b, h.node.now[at:])
	}
	if n < len(b) {
		clear(b[n:])
		return sqlite3.SQLITE_IOERR_SHORT_READ
	}
	return sqlite3.SQLITE_OK
}

func (h *handle) write(b []byte, at int64) int32 {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.dead() || d.readOnly || h.readOnly {
		return sqlite3.SQLITE_IOERR_WRITE
	}
	result, n := int32(sqlite3.SQLITE_OK), int64(len(b))
	if growth := at + n - int64(len(h.node.now)); d.capacity > 0 && growth > 0 && d.used()+growth > d.capacity {
		result, n = sqlite3.SQLITE_FULL, max(0, n-(d.used()+growth-d.capacity))
	}
	switch h.fault(Write, at, n) {
	case Broken:
		result, n = sqlite3.SQLITE_IOERR_WRITE, d.rng.Int64N(n+1)
	case NoSpace:
		result, n = sqlite3.SQLITE_FULL, d.rng.Int64N(n+1)
	case None:
	}
	if n > 0 {
		h.node.change(change{at, append([]byte{}, b[:n]...)})
	}
	if d.cutHere("write", h.name) {
		return sqlite3.SQLITE_IOERR_WRITE
	}
	return result
}

func (h *handle) truncate(size int64) int32 {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.dead() || d.readOnly || h.readOnly || h.fault(Truncate, size, 0) != None {
		return sqlite3.SQLITE_IOERR_TRUNCATE
	}
	h.node.change(change{at: size})
	if d.cutHere("truncate", h.name) {
		return sqlite3.SQLITE_IOERR_TRUNCATE
	}
	return sqlite3.SQLITE_OK
}

func (h *handle) sync() int32 {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.dead() || d.readOnly || h.readOnly {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	if d.cutHere("sync", h.name) {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	if h.fault(Sync, 0, 0) != None {
		h.node.syncBroken(d.rng)
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	h.node.sync()
	if h.syncFolder {
		d.syncFolder()
		h.syncFolder = false
	}
	return sqlite3.SQLITE_OK
}

func (h *handle) size() (int64, int32) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.dead() {
		return 0, sqlite3.SQLITE_IOERR_FSTAT
	}
	return int64(len(h.node.now)), sqlite3.SQLITE_OK
}

func (h *handle) close() {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.unmap()
	delete(h.node.held, h)
}
