// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// job is one unit of what is counted. It returns nil only when the server has
// acknowledged it.
type job func(context.Context) error

// measure is how a run went.
type measure struct {
	PerSecond float64
	P50, P99  time.Duration
}

// run does all jobs, at most conns at once, each of its workers as soon as the
// one before is done. The first failure ends the run: a figure with failures in
// it is none.
func run(ctx context.Context, conns int, jobs []job) (measure, error) {
	if len(jobs) == 0 {
		return measure{}, errors.New("there is nothing to run")
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	took := make([]time.Duration, len(jobs))
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range conns {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(jobs) {
					return
				}
				at := time.Now()
				if err := jobs[i](ctx); err != nil {
					stop(fmt.Errorf("job %d of %d: %w", i+1, len(jobs), err))
					return
				}
				took[i] = time.Since(at)
			}
		})
	}
	all.Wait()
	elapsed := time.Since(began)
	if err := context.Cause(ctx); err != nil {
		return measure{}, err
	}
	slices.Sort(took)
	return measure{PerSecond: float64(len(jobs)) / elapsed.Seconds(), P50: quantile(took, .50), P99: quantile(took, .99)}, nil
}

// quantile is the smallest of the sorted values that at least the share q of
// them does not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	n := int(float64(len(sorted))*q + .999999)
	return sorted[min(max(n, 1), len(sorted))-1]
}

// median is the middle value; of an even number, the mean of the two.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if len(s) == 0 {
		return 0
	}
	if m := len(s) / 2; len(s)%2 == 0 {
		return (s[m-1] + s[m]) / 2
	}
	return s[len(s)/2]
}
