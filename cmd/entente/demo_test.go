// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"testing"
	"time"
)

// TestDemoAfterMidnight: the invented practice has sessions of today at any time of
// the day, and never one to come.
func TestDemoAfterMidnight(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, now := range []time.Duration{30 * time.Second, 5 * time.Minute, 9 * time.Hour, 24*time.Hour - time.Second} {
		for minutes := range 12 {
			got := latest(today.Add(17*time.Hour), today.Add(now), today, minutes)
			if got.Before(today) || got.After(today.Add(now)) {
				t.Errorf("%v after midnight, client %d: %v", now, minutes, got)
			}
		}
	}
}
