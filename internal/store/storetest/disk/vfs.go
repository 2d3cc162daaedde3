// SPDX-License-Identifier: AGPL-3.0-or-later

package disk

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The layer stands before the one SQLite had, and takes the paths that lie on a
// disk. SQLite keeps the addresses of both variables for good.
var (
	layer   sqlite3.Tsqlite3_vfs
	methods sqlite3.Tsqlite3_io_methods
	beneath uintptr // the layer that was there before

	layerName = []byte("entente-disk\x00")
)

var (
	disks   sync.Map // folder -> *Disk
	handles sync.Map // number -> *handle
	numbers atomic.Uintptr
)

// openFile is what SQLite allocates for an open file.
type openFile struct {
	methods uintptr
	number  uintptr
}

// at gives what rests at an address that SQLite handed over. Such memory is not
// Go's: nothing moves or frees it while SQLite has it.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) } //nolint:gosec // see above

// address is where a variable of the package rests.
func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) } //nolint:gosec // packages' variables do not move

// set puts a function of the package where SQLite expects its address.
func set[F any](slot *uintptr, f F) { *(*F)(unsafe.Pointer(slot)) = f } //nolint:gosec // this is how the driver calls back

var register = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	beneath = sqlite3.Xsqlite3_vfs_find(tls, 0)
	if beneath == 0 {
		return errors.New("disk: SQLite has no file layer to stand before")
	}
	layer = *at[sqlite3.Tsqlite3_vfs](beneath)
	layer.FpNext, layer.FzName = 0, address(&layerName[0])
	layer.FszOsFile = max(layer.FszOsFile, int32(unsafe.Sizeof(openFile{})))
	set(&layer.FxOpen, xOpen)
	set(&layer.FxDelete, xDelete)
	set(&layer.FxAccess, xAccess)
	methods.FiVersion = 2 // with shared memory, without mapped files
	set(&methods.FxClose, xClose)
	set(&methods.FxRead, xRead)
	set(&methods.FxWrite, xWrite)
	set(&methods.FxTruncate, xTruncate)
	set(&methods.FxSync, xSync)
	set(&methods.FxFileSize, xFileSize)
	set(&methods.FxLock, xLock)
	set(&methods.FxUnlock, xUnlock)
	set(&methods.FxCheckReservedLock, xCheckReservedLock)
	set(&methods.FxFileControl, xFileControl)
	set(&methods.FxSectorSize, xSectorSize)
	set(&methods.FxDeviceCharacteristics, xDeviceCharacteristics)
	set(&methods.FxShmMap, xShmMap)
	set(&methods.FxShmLock, xShmLock)
	set(&methods.FxShmBarrier, xShmBarrier)
	set(&methods.FxShmUnmap, xShmUnmap)
	if code := sqlite3.Xsqlite3_vfs_register(tls, address(&layer), 1); code != sqlite3.SQLITE_OK {
		return fmt.Errorf("disk: SQLite refuses the file layer with code %d", code)
	}
	return nil
})

func mount(d *Disk) error {
	if err := register(); err != nil {
		return err
	}
	disks.Store(d.folder, d)
	return nil
}

func unmount(d *Disk) { disks.Delete(d.folder) }

// diskOf finds the disk of a path, and its name there.
func diskOf(path uintptr) (*Disk, string) {
	if path == 0 {
		return nil, ""
	}
	folder, name := filepath.Split(libc.GoString(path))
	d, ok := disks.Load(filepath.Clean(folder))
	if !ok {
		return nil, ""
	}
	return d.(*Disk), name
}

func handleOf(file uintptr) *handle {
	h, ok := handles.Load(at[openFile](file).number)
	if !ok {
		panic("disk: SQLite uses a file that it has closed")
	}
	return h.(*handle)
}

func allocate(size int) uintptr {
	tls := libc.NewTLS()
	defer tls.Close()
	return libc.Xcalloc(tls, 1, libc.Tsize_t(size))
}

func release(p uintptr) {
	tls := libc.NewTLS()
	defer tls.Close()
	libc.Xfree(tls, p)
}

// function gives back the function that SQLite knows by its address.
func function[F any](slot *uintptr) F { return *(*F)(unsafe.Pointer(slot)) } //nolint:gosec // the other way round of set

func under() *sqlite3.Tsqlite3_vfs { return at[sqlite3.Tsqlite3_vfs](beneath) }

func xOpen(tls *libc.TLS, _, path, file uintptr, flags int32, granted uintptr) int32 {
	d, name := diskOf(path)
	if d == nil {
		return function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](&under().FxOpen)(tls, beneath, path, file, flags, granted)
	}
	f := at[openFile](file)
	*f = openFile{}
	h, flags, code := d.open(name, flags)
	if code != sqlite3.SQLITE_OK {
		return code
	}
	if granted != 0 {
		*at[int32](granted) = flags
	}
	*f = openFile{methods: address(&methods), number: numbers.Add(1)}
	handles.Store(f.number, h)
	return sqlite3.SQLITE_OK
}

func xDelete(tls *libc.TLS, _, path uintptr, syncFolder int32) int32 {
	d, name := diskOf(path)
	if d == nil {
		return function[func(*libc.TLS, uintptr, uintptr, int32) int32](&under().FxDelete)(tls, beneath, path, syncFolder)
	}
	return d.remove(name, syncFolder != 0)
}

func xAccess(tls *libc.TLS, _, path uintptr, flags int32, result uintptr) int32 {
	d, name := diskOf(path)
	if d == nil {
		return function[func(*libc.TLS, uintptr, uintptr, int32, uintptr) int32](&under().FxAccess)(tls, beneath, path, flags, result)
	}
	*at[int32](result) = libc.Bool32(d.access(name, flags))
	return sqlite3.SQLITE_OK
}
