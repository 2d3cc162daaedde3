// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import "time"

// SignInRules are what a practice asks of the sign-ins of its staff. A zero
// value stands for what is said beside each.
type SignInRules struct {
	IdleMinutes      int   // without use a sign-in ends after so long; 0: an hour
	LongestHours     int   // and in any case after so long; 0: twelve hours
	SecondFromMillis int64 // from then on a second factor is demanded; 0: never
}

// The bounds are those of NIST SP 800-63B-4, 2.2.3: at its second level of
// assurance no more than an hour without use, and no more than 24 hours.
const (
	LeastIdleMinutes    = 5
	MostIdleMinutes     = 60
	LeastLongestHours   = 1
	MostLongestHours    = 24
	defaultLongestHours = 12 // a long working day
)

// Idle is how long a sign-in lasts without use.
func (r SignInRules) Idle() time.Duration {
	if r.IdleMinutes == 0 {
		return MostIdleMinutes * time.Minute
	}
	return time.Duration(r.IdleMinutes) * time.Minute
}

// Longest is how long a sign-in lasts at most.
func (r SignInRules) Longest() time.Duration {
	if r.LongestHours == 0 {
		return defaultLongestHours * time.Hour
	}
	return time.Duration(r.LongestHours) * time.Hour
}

// DemandsSecond reports whether a second factor is demanded at an instant.
func (r SignInRules) DemandsSecond(nowMillis int64) bool {
	return r.SecondFromMillis != 0 && nowMillis >= r.SecondFromMillis
}

// Check refuses what is out of bounds: invalid, with the field.
func (r SignInRules) Check() error {
	switch {
	case r.IdleMinutes < LeastIdleMinutes || r.IdleMinutes > MostIdleMinutes:
		return Bad("idle", "field.choice")
	case r.LongestHours < LeastLongestHours || r.LongestHours > MostLongestHours:
		return Bad("longest", "field.choice")
	case r.SecondFromMillis < 0:
		return Bad("second_from", "field.choice")
	}
	return nil
}
