// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/entente-project/entente/alliance"
)

// BenchmarkCaseload judges 10,000 courses of 20 sessions, on one processor.
func BenchmarkCaseload(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 36))
	courses := make([]alliance.Course, 10_000)
	for i := range courses {
		var y []float64
		for range 20 {
			y = append(y, math.Round(2*min(10, max(0, 7.2+r.NormFloat64())))/2)
		}
		courses[i].Series = []alliance.Series{series(alliance.Goals, y...)}
	}
	for b.Loop() {
		for _, c := range courses {
			alliance.Usual().Judge(c)
		}
	}
}

// BenchmarkRating adds the twentieth rating to a course that is followed.
func BenchmarkRating(b *testing.B) {
	d, err := alliance.NewDetector(alliance.Stated())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		t := d.Track()
		for i := range 19 {
			t.Add(i+1, float64(i), 7)
		}
		b.StartTimer()
		t.Add(20, 19, 6)
	}
}
