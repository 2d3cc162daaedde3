// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"math"
	"os"
	"sync"
	"testing"
	"time"
)

// slope is the line of best fit through points at seconds, in units an hour, and
// its standard error.
func slope(at, value []float64) (perHour, se float64) {
	n := float64(len(at))
	var mx, my, sxx, sxy, rss float64
	for i := range at {
		mx, my = mx+at[i]/n, my+value[i]/n
	}
	for i := range at {
		sxx += (at[i] - mx) * (at[i] - mx)
		sxy += (at[i] - mx) * (value[i] - my)
	}
	b := sxy / sxx
	for i := range at {
		r := value[i] - my - b*(at[i]-mx)
		rss += r * r
	}
	return b * 3600, math.Sqrt(rss/(n-2)/sxx) * 3600
}

// TestSlope: a known line with a known error.
func TestSlope(t *testing.T) {
	t.Parallel()
	b, se := slope([]float64{0, 1, 2, 3}, []float64{1, 3, 2, 4})
	// By hand: b = 4/5 a second, residuals -0.3 0.9 -0.9 0.3, so s² = 0.9 and se = sqrt(0.9/5).
	if math.Abs(b-0.8*3600) > 1e-9 || math.Abs(se-math.Sqrt(.18)*3600) > 1e-9 {
		t.Errorf("%v ± %v", b, se)
	}
}

// warm asks until the caches are full: those of eight readers of SQLite take
// some thousand requests, during which the memory grows without a leak.
func (b busy) warm(t *testing.T, requests int) {
	t.Helper()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range requests / 4 {
				if err := b.ask(t.Context(), n%2 == 1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestDrillFlatMemory: under steady load the memory of the process does not grow
// once it is warm. Points lie near each other and depend on one another, so the
// error is what a run this short can say, not less.
func TestDrillFlatMemory(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Parallel()
	}
	b := startBusy(t)
	const perSecond = 10
	warm, lasts := long(100, 6_000), long(4*time.Second, 180*time.Second)
	b.warm(t, warm)
	ctx, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	var at, mb []float64
	var all sync.WaitGroup
	all.Go(func() {
		began := time.Now()
		look := time.NewTicker(long(100*time.Millisecond, time.Second))
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-look.C:
				at, mb = append(at, now.Sub(began).Seconds()), append(mb, b.memory(t, "VmRSS"))
			}
		}
	})
	waits := b.pace(ctx, t, perSecond)
	all.Wait()
	grows, se := slope(at, mb)
	t.Logf("drill | %.0f s of load, %d requests a second with TLS, after %d to get warm | memory stays flat | 1 MB/h | %+.0f ± %.0f MB/h (95 %%) at %.0f MB; %d requests",
		lasts.Seconds(), perSecond, warm, grows, 2*se, mb[len(mb)-1], len(waits))
	if peak := b.memory(t, "VmHWM"); peak > 256 && !raced {
		t.Errorf("%.0f MB", peak)
	}
}
