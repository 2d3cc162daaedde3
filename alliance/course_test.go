// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-project/entente/alliance"
)

func TestGap(t *testing.T) {
	t.Parallel()
	client := series(alliance.Bond, 4, math.NaN(), 6)
	therapist := series(alliance.Bond, 20, 30, 40)
	therapist.Min, therapist.Max, therapist.Informant = 10, 50, alliance.Therapist
	g := alliance.Gap(client, therapist)
	if g[0].Difference != -1.5 || g[1].OK || g[2].Difference != 1.5 {
		t.Errorf("%+v", g)
	}
}

func TestGapSessions(t *testing.T) {
	t.Parallel()
	client, therapist := series(alliance.Bond, 3.7, 5), series(alliance.Bond, 4.1, math.NaN())
	therapist.Points = append(therapist.Points, alliance.Point{Session: 5, Value: 6, OK: true})
	g := alliance.Gap(client, therapist)
	if len(g) != 3 || g[2].Session != 5 || g[2].OK || g[1].OK {
		t.Errorf("a session that only one of them knows: %+v", g)
	}
	if g[0].Therapist != 4.1 {
		t.Errorf("equal forms are translated: %v", g[0].Therapist)
	}
	therapist.HigherIsBetter = false
	if g = alliance.Gap(client, therapist); math.Abs(g[0].Therapist-5.9) > 1e-12 {
		t.Errorf("a form where lower is better: %+v", g[0])
	}
	for _, end := range []float64{math.NaN(), math.Inf(1), 0, -1} {
		therapist.Max = end
		if g = alliance.Gap(client, therapist); g[0].OK {
			t.Errorf("a form from 0 to %v matches: %+v", end, g[0])
		}
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	first, previous, now := alliance.Snapshot(series(alliance.Bond, math.NaN(), 4, math.NaN(), 6, 5, math.NaN()))
	if first.Session != 2 || previous.Session != 4 || now.Session != 5 {
		t.Errorf("%+v %+v %+v", first, previous, now)
	}
	if first, previous, now = alliance.Snapshot(alliance.Series{}); first.OK || previous.OK || now.OK {
		t.Error("an empty series has points")
	}
}

// Points that lie in disorder are read by session, and the caller's are left as
// they are.
func TestDisorder(t *testing.T) {
	t.Parallel()
	s := series(alliance.Bond, 7, 8, 8, 4)
	s.Points[0], s.Points[3] = s.Points[3], s.Points[0]
	if _, previous, now := alliance.Snapshot(s); previous.Session != 3 || now.Session != 4 {
		t.Errorf("previous %+v, now %+v", previous, now)
	}
	if v := judge(s); !v.Asks() || v.Session != 4 {
		t.Errorf("%+v", v)
	}
	if s.Points[0].Session != 4 {
		t.Error("the caller's points were moved")
	}
}

func TestReliableChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sd, reliability, z, want float64 }{
		{7.5, .80, 1.959964, 9.297}, {7.7, .90, 1.644854, 5.664}, {7.7, .90, 1.959964, 6.749},
	} {
		if got := alliance.ReliableChange(c.z, alliance.SEM(c.sd, c.reliability)); math.Abs(got-c.want) > 5e-4 {
			t.Errorf("%+v: %v", c, got)
		}
	}
	for _, c := range [][2]float64{{1, 1.1}, {1, -.1}, {-1, .5}, {1, math.NaN()}, {math.NaN(), .5}} {
		if got := alliance.SEM(c[0], c[1]); !math.IsNaN(got) {
			t.Errorf("SEM%v = %v", c, got)
		}
	}
}

func TestSDWithin(t *testing.T) {
	t.Parallel()
	if sd, n := alliance.SDWithin(series(alliance.Bond, 2, math.NaN(), 4, 6)); sd != 2 || n != 3 {
		t.Errorf("SD %v of %d", sd, n)
	}
	if sd, n := alliance.SDWithin(series(alliance.Bond, 2)); sd != 0 || n != 1 {
		t.Errorf("SD %v of %d", sd, n)
	}
}

// Samuelson: no rating lies further from the mean of its own series, and one far
// from equal others lies as far. The rule leaves the newest rating out of its
// baseline and can therefore speak of the third.
func TestLargestDeviation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 10), 2, 12).Draw(t, "values")
		sd, n := alliance.SDWithin(series(alliance.Bond, values...))
		mean := 0.0
		for _, v := range values {
			mean += v / float64(n)
		}
		for _, v := range values {
			if math.Abs(v-mean) > alliance.LargestDeviation(n)*sd+1e-9 {
				t.Fatalf("%v lies %v SD from the mean of %v", v, math.Abs(v-mean)/sd, values)
			}
		}
	})
	for n, want := range map[int]float64{0: 0, 1: 0, 4: 1.5, 5: 1.79, 6: 2.04, 10: 2.85, 11: 3.02} {
		if got := alliance.LargestDeviation(n); math.Abs(got-want) > .005 {
			t.Errorf("%d ratings: %v, want %v", n, got, want)
		}
	}
	if v := judge(series(alliance.Bond, 8, 8, 2)); !v.Asks() {
		t.Errorf("the third rating: %+v", v)
	}
}
