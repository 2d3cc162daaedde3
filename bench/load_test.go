// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{.5, 50}, {.99, 99}, {1, 100}, {0, 1}} {
		if got := quantile(hundred, c.q); got != c.want {
			t.Errorf("quantile(%v) = %d, want %d", c.q, got, c.want)
		}
	}
	if got := quantile(hundred[:3], .99); got != 3 {
		t.Errorf("p99 of three values = %d, want the largest", got)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("median of 9, 1, 5 = %v", got)
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median of 4, 1, 2, 3 = %v", got)
	}
}

func TestRunDoesEachJobOnce(t *testing.T) {
	t.Parallel()
	const n = 500
	var done [n]atomic.Int64
	jobs := make([]job, n)
	for i := range jobs {
		jobs[i] = func(context.Context) error { done[i].Add(1); return nil }
	}
	m, err := run(t.Context(), 16, jobs)
	if err != nil || m.PerSecond <= 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	for i := range done {
		if got := done[i].Load(); got != 1 {
			t.Fatalf("job %d was done %d times", i, got)
		}
	}
}

func TestRunGivesNoFigureWithAFailureInIt(t *testing.T) {
	t.Parallel()
	broken := errors.New("refused")
	m, err := run(t.Context(), 4, []job{
		func(context.Context) error { return nil },
		func(context.Context) error { return broken },
	})
	if !errors.Is(err, broken) || m != (measure{}) {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := run(t.Context(), 4, nil); err == nil {
		t.Fatal("a run of nothing has a figure")
	}
}
