// SPDX-License-Identifier: AGPL-3.0-or-later

package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"
)

// Keeper keeps what the servers of one database share, sealed, and lets one of
// them do what must be done once.
type Keeper interface {
	// Secret gives what was kept under a name. Errors: care not_found.
	Secret(ctx context.Context, name string) ([]byte, error)
	// PutSecret keeps something in place of what was there.
	PutSecret(ctx context.Context, name string, plain []byte) error
	// DropSecret removes it; what is not there is no error.
	DropSecret(ctx context.Context, name string) error
	// Lease gives name to holder until an instant; false while another has it.
	Lease(ctx context.Context, name, holder string, nowMillis, untilMillis int64) (bool, error)
}

// Config is what every server speaks: TLS 1.2 with forward secrecy and
// authenticated encryption only, or 1.3. Telephones of 2014 can do that.
func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{ // of 1.2; those of 1.3 are all as good
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		GetCertificate: get,
		NextProtos:     append([]string{"h2", "http/1.1"}, protocols...),
	}
}

// Soon is how long before its end a certificate is worth a line in the log each
// day: by then it should have been renewed.
const Soon = 10 * 24 * time.Hour

// Ending is a sentence when a certificate ends soon or has ended, else "".
func Ending(leaf *x509.Certificate, now time.Time) string {
	left := leaf.NotAfter.Sub(now)
	// One that lives only for days is renewed in its last third.
	if soon := min(Soon, leaf.NotAfter.Sub(leaf.NotBefore)/4); left > soon {
		return ""
	}
	if left <= 0 {
		return fmt.Sprintf("the certificate of this server ended on %s: browsers refuse it", day(leaf.NotAfter))
	}
	return fmt.Sprintf("the certificate of this server ends on %s and has not been renewed", day(leaf.NotAfter))
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
