// SPDX-License-Identifier: AGPL-3.0-or-later

// Command entente serves a practice, shows an invented one, or imports earlier
// ratings. It reads flags and configuration, builds everything, and is the only
// place where the concrete parts meet; it must never hold a rule of its own.
// Start with serve.go.
package main
