// SPDX-License-Identifier: AGPL-3.0-or-later

package disk

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// What SQLite's Unix layer says of a common disk. SQLite may rely on a write
// not harming the bytes beside it; a power cut here never does that either.
const (
	sectorSize      = 4096
	characteristics = sqlite3.SQLITE_IOCAP_POWERSAFE_OVERWRITE | sqlite3.SQLITE_IOCAP_SUBPAGE_READ
)

func bytesAt(p uintptr, n int32) []byte { return unsafe.Slice(at[byte](p), n) } //nolint:gosec // SQLite says how many they are

func xClose(_ *libc.TLS, file uintptr) int32 {
	handleOf(file).close()
	f := at[openFile](file)
	handles.Delete(f.number)
	*f = openFile{}
	return sqlite3.SQLITE_OK
}

func xRead(_ *libc.TLS, file, to uintptr, n int32, offset int64) int32 {
	return handleOf(file).read(bytesAt(to, n), offset)
}

func xWrite(_ *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
	return handleOf(file).write(bytesAt(from, n), offset)
}

func xTruncate(_ *libc.TLS, file uintptr, size int64) int32 { return handleOf(file).truncate(size) }

func xSync(_ *libc.TLS, file uintptr, _ int32) int32 { return handleOf(file).sync() }

func xFileSize(_ *libc.TLS, file, to uintptr) int32 {
	size, code := handleOf(file).size()
	*at[int64](to) = size
	return code
}

func xLock(_ *libc.TLS, file uintptr, level int32) int32 { return handleOf(file).lock(level) }

func xUnlock(_ *libc.TLS, file uintptr, level int32) int32 {
	handleOf(file).unlock(level)
	return sqlite3.SQLITE_OK
}

func xCheckReservedLock(_ *libc.TLS, file, result uintptr) int32 {
	*at[int32](result) = libc.Bool32(handleOf(file).reserved())
	return sqlite3.SQLITE_OK
}

func xFileControl(_ *libc.TLS, _ uintptr, _ int32, _ uintptr) int32 { return sqlite3.SQLITE_NOTFOUND }

func xSectorSize(_ *libc.TLS, _ uintptr) int32 { return sectorSize }

func xDeviceCharacteristics(_ *libc.TLS, _ uintptr) int32 { return characteristics }

func xShmMap(_ *libc.TLS, file uintptr, index, size, extend int32, to uintptr) int32 {
	p, code := handleOf(file).region(index, size, extend != 0)
	*at[uintptr](to) = p
	return code
}

func xShmLock(_ *libc.TLS, file uintptr, first, n, flags int32) int32 {
	return handleOf(file).lockShared(first, n, flags)
}

func xShmBarrier(_ *libc.TLS, file uintptr) {
	d := handleOf(file).disk
	d.mu.Lock()
	defer d.mu.Unlock() // what was written before is seen by whoever comes after
}

func xShmUnmap(_ *libc.TLS, file uintptr, _ int32) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.unmap()
	return sqlite3.SQLITE_OK
}
