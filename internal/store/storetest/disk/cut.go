// SPDX-License-Identifier: AGPL-3.0-or-later

package disk

import (
	"math/rand/v2"
	"slices"
)

const sector = 512

// inode is one file.
type inode struct {
	now   []byte   // what the running system reads
	kept  []byte   // what the disk holds for certain
	loose []change // what happened since the last sync, oldest first

	held map[*handle]int32 // locks
	shm  *sharedMemory
}

// change is bytes written at an offset, or with nil bytes a new size.
type change struct {
	at   int64
	data []byte
}

// apply makes a change, with zeros where a write leaves a gap.
func apply(b []byte, c change) []byte {
	if c.data == nil {
		return resize(b, c.at)
	}
	b = resize(b, max(int64(len(b)), c.at+int64(len(c.data))))
	copy(b[c.at:], c.data)
	return b
}

func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

func (f *inode) change(c change) {
	f.now = apply(f.now, c)
	f.loose = append(f.loose, c)
}

func (f *inode) sync() {
	for _, c := range f.loose {
		f.kept = apply(f.kept, c)
	}
	f.loose = nil
}

// syncBroken is a sync that failed: nothing, everything or any part of it may
// have arrived. What did not is forgotten, so that no later sync brings it.
func (f *inode) syncBroken(rng *rand.Rand) {
	mode := []int{leaveNone, leaveAll, leaveSome}[rng.IntN(3)]
	for _, c := range f.loose {
		if mode == leaveAll || mode == leaveSome && rng.IntN(2) == 0 {
			f.kept = apply(f.kept, c)
		}
	}
	f.loose = nil
}

// How much of the loose changes a power cut leaves.
const (
	leaveNone = iota
	leaveAll
	leavePrefix  // those before some point
	leaveSome    // each by chance
	leaveSectors // each sector of each by chance
	leaveShuffle // each by chance, in another order
	leaveModes
)

// survive is what a power cut leaves of the file.
func (f *inode) survive(rng *rand.Rand) []byte {
	b := slices.Clone(f.kept)
	if len(f.loose) == 0 {
		return b
	}
	loose := slices.Clone(f.loose)
	mode := rng.IntN(leaveModes)
	if mode == leaveShuffle {
		rng.Shuffle(len(loose), func(i, j int) { loose[i], loose[j] = loose[j], loose[i] })
	}
	// The size may have reached the disk before what was written there.
	if grown := rng.IntN(4) == 0; grown && len(f.now) > len(b) {
		b = garbage(rng, b, len(f.now))
	}
	prefix, torn := rng.IntN(len(loose)+1), rng.IntN(len(loose))
	for i, c := range loose {
		whole := mode == leaveAll || mode == leavePrefix && i < prefix || mode >= leaveSome && rng.IntN(2) == 0
		switch {
		case c.data == nil:
			if whole {
				b = apply(b, c)
			}
		case mode == leaveSectors:
			b = scatter(rng, b, c)
		case mode != leaveNone && mode != leaveAll && i == torn:
			b = tear(rng, b, c)
		case whole:
			b = apply(b, c)
		}
	}
	return b
}

func garbage(rng *rand.Rand, b []byte, size int) []byte {
	for len(b) < size {
		b = append(b, byte(rng.Uint32()))
	}
	return b
}

// pieces cuts a write where the disk's sectors end.
func pieces(c change) (out []change) {
	for at, data := c.at, c.data; len(data) > 0; {
		n := min(int64(len(data)), sector-at%sector)
		out = append(out, change{at, data[:n]})
		at, data = at+n, data[n:]
	}
	return out
}

// scatter leaves each sector of a write by chance, and one of them torn.
func scatter(rng *rand.Rand, b []byte, c change) []byte {
	all := pieces(c)
	torn := rng.IntN(len(all))
	for i, p := range all {
		switch {
		case i == torn:
			b = apply(b, half(rng, p))
		case rng.IntN(2) == 0:
			b = apply(b, p)
		}
	}
	return b
}

// tear leaves a write up to some sector, of which it leaves a part.
func tear(rng *rand.Rand, b []byte, c change) []byte {
	all := pieces(c)
	torn := rng.IntN(len(all))
	for _, p := range all[:torn] {
		b = apply(b, p)
	}
	return apply(b, half(rng, all[torn]))
}

// half is the first or the last part of a piece.
func half(rng *rand.Rand, p change) change {
	n := rng.IntN(len(p.data))
	if rng.IntN(2) == 0 {
		return change{p.at, p.data[:n]}
	}
	return change{p.at + int64(n), p.data[n:]}
}

// PowerCut cuts the power now: what is certain stays, and what chance leaves of
// the rest. Nothing works until PowerOn; whatever was open stays dead for ever.
func (d *Disk) PowerCut(rng *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.off {
		d.cutAt = ""
		d.cut(rng)
	}
}

// PowerCutAfter cuts the power at the n-th change from now, 1 or more: a write
// that is then only begun, a sync that has not begun. 0 takes it back.
func (d *Disk) PowerCutAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = n
}

// LastCut says during what the power was cut last: "write entente.db-wal", say,
// or "" if it was between two changes.
func (d *Disk) LastCut() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cutAt
}

// Off reports whether the power is cut.
func (d *Disk) Off() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// PowerOn ends a power cut; what the disk holds then is certain.
func (d *Disk) PowerOn() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = false
}

func (d *Disk) cut(rng *rand.Rand) {
	folder := map[string]*inode{}
	for name, f := range d.kept {
		folder[name] = f
	}
	for _, m := range d.moves {
		switch {
		case rng.IntN(2) == 0:
		case m.node == nil:
			delete(folder, m.name)
		default:
			folder[m.name] = m.node
		}
	}
	image := map[string][]byte{}
	for name, f := range folder {
		image[name] = f.survive(rng)
	}
	d.begin(image)
	d.off = true
}

// cutHere counts a change and cuts the power if this is the one for it.
func (d *Disk) cutHere(doing, name string) bool {
	d.changes++
	if d.left == 0 {
		return false
	}
	if d.left--; d.left > 0 {
		return false
	}
	d.cutAt = doing + " " + name
	d.cut(d.rng)
	return true
}

// syncFolder makes the folder certain.
func (d *Disk) syncFolder() {
	for _, m := range d.moves {
		if m.node == nil {
			delete(d.kept, m.name)
		} else {
			d.kept[m.name] = m.node
		}
	}
	d.moves = nil
}
