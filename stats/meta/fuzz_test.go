// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"
)

// numbersOf reads the bytes as numbers of any size, sign and kind.
func numbersOf(raw []byte) []float64 {
	var out []float64
	for ; len(raw) >= 8 && len(out) < 60; raw = raw[8:] {
		out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
	}
	return out
}

func seeds(f *testing.F) {
	f.Helper()
	for _, list := range [][]float64{
		{1, .1, 2, .2, 3, .3, 4, .1, 2, .2, 1, .4}, {1, 1e-300, 1, 1e-300}, {0, 1, 0, 1, 0, 1, 0, 1}, {1e140, 1, -1e140, 1e-9},
		{math.NaN(), 1, 1, math.Inf(1)}, {1, 1e280, 2, 1e279, 5, 1e278, 1, 1e280}, {1, -1}, {},
	} {
		var raw []byte
		for _, x := range list {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
		}
		for kind := range byte(4) {
			f.Add(raw, kind)
		}
	}
}

// FuzzFit: whatever the numbers, there is an error or a table without NaN.
func FuzzFit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, raw []byte, kind byte) {
		x := numbersOf(raw)
		width := 2 + int(kind)%3
		var d Data
		for m := range width - 2 {
			d.Moderators = append(d.Moderators, Moderator{Name: strconv.Itoa(m)})
		}
		for i := 0; i+width <= len(x); i += width {
			d.Y, d.V = append(d.Y, x[i]), append(d.V, x[i+1])
			for m := range d.Moderators {
				d.Moderators[m].Values = append(d.Moderators[m].Values, x[i+2+m])
			}
		}
		methods := Methods()
		o := Options{Method: methods[int(kind/4)%len(methods)], Test: []Test{Z, T, KnappHartung, KnappHartungTruncated}[kind%4]}
		if r, err := Fit(d, o); err == nil {
			allFinite(t, "fit", r)
			if q, err := r.QProfile(); err == nil {
				allFinite(t, "Q-profile", q)
			}
		}
	})
}

// FuzzMultilevel is the same for the engine with several variances.
func FuzzMultilevel(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, raw []byte, kind byte) {
		x := numbersOf(raw)
		d := MultilevelData{Levels: []Level{{Name: "study"}, {Name: "row"}}}
		for i := 0; i+2 <= len(x); i += 2 {
			d.Y, d.V = append(d.Y, x[i]), append(d.V, x[i+1])
			d.Levels[0].Group = append(d.Levels[0].Group, strconv.Itoa(i/int(2+2*(kind%4))))
			d.Levels[1].Group = append(d.Levels[1].Group, strconv.Itoa(i))
		}
		if kind > 100 {
			d.Correlated = &Correlated{Within: "study", Rho: float64(kind) / 300}
		}
		r, err := FitMultilevel(d, Options{})
		if err != nil {
			return
		}
		allFinite(t, "multilevel", r)
		if robust, err := r.Robust(d.Levels[0].Group, CR2); err == nil {
			allFinite(t, "robust", robust)
		}
	})
}
