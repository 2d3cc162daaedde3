// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// invented studies: true effects around 0.3 with variance 0.05.
func invented(k int, seed uint64) Data {
	rng := rand.New(rand.NewPCG(seed, 1))
	d := Data{Y: make([]float64, k), V: make([]float64, k)}
	for i := range k {
		d.V[i] = 0.01 + 0.2*rng.Float64()
		d.Y[i] = 0.3 + rng.NormFloat64()*math.Sqrt(d.V[i]+0.05)
	}
	return d
}

// inventedLevels: four effects in each study.
func inventedLevels(k int, seed uint64) MultilevelData {
	rng := rand.New(rand.NewPCG(seed, 2))
	d := MultilevelData{Data: invented(k, seed), Levels: []Level{{Name: "study"}, {Name: "effect"}}}
	shared := 0.0
	for i := range k {
		if i%4 == 0 {
			shared = 0.3 * rng.NormFloat64()
		}
		d.Y[i] += shared
		d.Levels[0].Group = append(d.Levels[0].Group, strconv.Itoa(i/4))
		d.Levels[1].Group = append(d.Levels[1].Group, strconv.Itoa(i))
	}
	return d
}

func BenchmarkREML(b *testing.B) {
	for _, k := range []int{300, 3000, 10000} {
		d := invented(k, 1)
		b.Run(fmt.Sprintf("k=%d", k), func(b *testing.B) {
			for b.Loop() {
				if _, err := Fit(d, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMetaRegression(b *testing.B) {
	d := invented(10000, 1)
	rng := rand.New(rand.NewPCG(3, 3))
	for range 3 {
		x := make([]float64, 10000)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		d.Moderators = append(d.Moderators, Moderator{strconv.Itoa(len(d.Moderators)), x})
	}
	for b.Loop() {
		if _, err := Fit(d, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkThreeLevel(b *testing.B) {
	for _, k := range []int{1000, 10000, 100000} {
		d := inventedLevels(k, 1)
		b.Run(fmt.Sprintf("k=%d", k), func(b *testing.B) {
			for b.Loop() {
				if _, err := FitMultilevel(d, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkThreeLevelCorrelated(b *testing.B) {
	d := inventedLevels(1000, 1)
	d.Correlated = &Correlated{Within: "study", Rho: 0.6}
	for b.Loop() {
		if _, err := FitMultilevel(d, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRobustCR2(b *testing.B) {
	d := inventedLevels(1000, 1)
	m, err := FitMultilevel(d, Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := m.Robust(d.Levels[0].Group, CR2); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLive(b *testing.B) {
	for _, k := range []int{30, 300, 3000} {
		d := invented(k+1, 1)
		b.Run(fmt.Sprintf("k=%d", k), func(b *testing.B) {
			l, err := NewLive(d.rows(OrderBy(make([]float64, k))), Options{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := l.Add(Effect{d.Y[k], d.V[k]}); err != nil {
					b.Fatal(err)
				}
				l.shrink(k)
			}
		})
	}
}

// shrink forgets the studies beyond the first k, keeping the sums' storage.
func (l *Live) shrink(k int) {
	l.truncate(k)
	s := l.s
	s.k, s.y, s.v, s.w, s.res, s.q = k, s.y[:k], s.v[:k], s.w[:k], s.res[:k], s.q[:k]
}

func BenchmarkPermutation(b *testing.B) {
	d := invented(30, 1)
	d.Moderators = []Moderator{{"x", invented(30, 2).Y}}
	for b.Loop() {
		if _, err := PermutationTest(context.Background(), d, Options{}, PermutationOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSelection(b *testing.B) {
	d := invented(300, 1)
	for b.Loop() {
		if _, err := Select(d, SelectOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
