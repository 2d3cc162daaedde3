// SPDX-License-Identifier: AGPL-3.0-or-later

// Package certificate says where the certificate comes from that a server shows:
// from an authority by ACME ([Automatic]), from files ([Files]), or from an
// authority of the server's own for the practice's network ([Own]). Each gives a
// tls.Config that always holds the newest one, without a restart.
//
// It must never order one because a stranger asked for a name, and never fall
// back to a certificate that has ended or to none. Start with config.go.
package certificate
