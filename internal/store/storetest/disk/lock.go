// SPDX-License-Identifier: AGPL-3.0-or-later

package disk

import (
	sqlite3 "modernc.org/sqlite/lib"
)

// lock raises the handle's lock on its file as far as the others allow.
func (h *handle) lock(want int32) int32 {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.dead() {
		return sqlite3.SQLITE_IOERR_LOCK
	}
	f := h.node
	if f.held == nil {
		f.held = map[*handle]int32{}
	}
	if f.held[h] >= want {
		return sqlite3.SQLITE_OK
	}
	highest := int32(sqlite3.SQLITE_LOCK_NONE)
	for other, level := range f.held {
		if other != h {
			highest = max(highest, level)
		}
	}
	switch want {
	case sqlite3.SQLITE_LOCK_SHARED:
		if highest >= sqlite3.SQLITE_LOCK_PENDING {
			return sqlite3.SQLITE_BUSY
		}
	case sqlite3.SQLITE_LOCK_RESERVED:
		if highest >= sqlite3.SQLITE_LOCK_RESERVED {
			return sqlite3.SQLITE_BUSY
		}
	default:
		if highest >= sqlite3.SQLITE_LOCK_RESERVED {
			return sqlite3.SQLITE_BUSY
		}
		if highest >= sqlite3.SQLITE_LOCK_SHARED {
			// No new reader comes in while this one waits for those that are there.
			f.held[h] = sqlite3.SQLITE_LOCK_PENDING
			return sqlite3.SQLITE_BUSY
		}
	}
	f.held[h] = want
	return sqlite3.SQLITE_OK
}

func (h *handle) unlock(to int32) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	switch level := h.node.held[h]; {
	case level <= to:
	case to == sqlite3.SQLITE_LOCK_NONE:
		delete(h.node.held, h)
	default:
		h.node.held[h] = to
	}
}

// reserved reports whether anybody is about to write.
func (h *handle) reserved() bool {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	for _, level := range h.node.held {
		if level >= sqlite3.SQLITE_LOCK_RESERVED {
			return true
		}
	}
	return false
}

// sharedMemory is what connections in WAL mode have in common. It never reaches
// the disk: SQLite makes it anew from the log when nobody has it.
type sharedMemory struct {
	regions []uintptr
	users   map[*handle]bool
}

// region maps one region, made if it is not there and extend allows.
func (h *handle) region(index, size int32, extend bool) (uintptr, int32) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.dead() {
		return 0, sqlite3.SQLITE_IOERR_SHMMAP
	}
	if h.mapped == nil {
		if h.node.shm == nil {
			if h.disk.readOnly {
				return 0, sqlite3.SQLITE_CANTOPEN // its file cannot be made
			}
			h.node.shm = &sharedMemory{users: map[*handle]bool{}}
		}
		h.mapped = h.node.shm
		h.mapped.users[h] = true
	}
	for int(index) >= len(h.mapped.regions) {
		if !extend {
			return 0, sqlite3.SQLITE_OK
		}
		p := allocate(int(size))
		if p == 0 {
			return 0, sqlite3.SQLITE_IOERR_NOMEM
		}
		h.mapped.regions = append(h.mapped.regions, p)
	}
	return h.mapped.regions[index], sqlite3.SQLITE_OK
}

// lockShared takes or gives back n locks of the shared memory from the first.
func (h *handle) lockShared(first, n, flags int32) int32 {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	mask := uint16(1)<<(first+n) - uint16(1)<<first
	if flags&sqlite3.SQLITE_SHM_UNLOCK != 0 {
		h.shared &^= mask
		h.exclusive &^= mask
		return sqlite3.SQLITE_OK
	}
	if h.dead() || h.mapped == nil {
		return sqlite3.SQLITE_IOERR_SHMLOCK
	}
	for other := range h.mapped.users {
		taken := other.exclusive
		if flags&sqlite3.SQLITE_SHM_EXCLUSIVE != 0 {
			taken |= other.shared
		}
		if other != h && taken&mask != 0 {
			return sqlite3.SQLITE_BUSY
		}
	}
	if flags&sqlite3.SQLITE_SHM_EXCLUSIVE != 0 {
		h.exclusive |= mask
	} else {
		h.shared |= mask
	}
	return sqlite3.SQLITE_OK
}

// unmap lets go of the shared memory; the last to do so frees it.
func (h *handle) unmap() {
	m := h.mapped
	if m == nil {
		return
	}
	h.mapped, h.shared, h.exclusive = nil, 0, 0
	delete(m.users, h)
	if len(m.users) > 0 {
		return
	}
	if h.node.shm == m {
		h.node.shm = nil
	}
	for _, p := range m.regions {
		release(p)
	}
}
