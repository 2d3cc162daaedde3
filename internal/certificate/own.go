// SPDX-License-Identifier: AGPL-3.0-or-later

package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente/internal/care"
)

const (
	ownName   = "own authority"
	ownLasts  = 10 * 365 * 24 * time.Hour
	leafLasts = 60 * 24 * time.Hour
	skew      = 24 * time.Hour // a tablet's clock may be behind
)

// Own is an authority of this server alone, for an address in the practice's
// network that no other authority vouches for. A device that installs its
// certificate once trusts this server and nothing else by it: the authority may
// only ever vouch for the names it was made for.
type Own struct {
	names []string
	now   func() time.Time
	ca    *x509.Certificate
	key   *ecdsa.PrivateKey

	mu   sync.Mutex
	leaf *tls.Certificate
}

// OpenOwn gives the authority for these addresses and names, and makes it where
// there is none, where it ends within a year, or where it was made for others:
// then every device has to install it, and made is true.
func OpenOwn(ctx context.Context, k Keeper, names []string, now func() time.Time) (o *Own, made bool, err error) {
	o = &Own{names: names, now: now}
	if err := o.load(ctx, k); err == nil {
		return o, false, nil
	} else if care.CodeOf(err) != care.NotFound {
		return nil, false, err
	}
	t := now()
	// Two that made one at once would have devices trust either of them by chance.
	got, err := k.Lease(ctx, ownName, rand.Text(), t.UnixMilli(), t.Add(10*time.Second).UnixMilli())
	if err != nil {
		return nil, false, err
	}
	if !got {
		return nil, false, errors.New("another server of this database is making the authority for the practice's network; start this one again in ten seconds")
	}
	if err := o.make(); err != nil {
		return nil, false, err
	}
	der, err := x509.MarshalECPrivateKey(o.key)
	if err != nil {
		return nil, false, err
	}
	defer clear(der)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.ca.Raw}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})...)
	return o, true, k.PutSecret(ctx, ownName, text)
}

// load reads the authority that is kept; not_found when it does not serve.
func (o *Own) load(ctx context.Context, k Keeper) error {
	text, err := k.Secret(ctx, ownName)
	if err != nil {
		return err
	}
	defer clear(text)
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return fmt.Errorf("the authority for the practice's network: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || o.now().After(pair.Leaf.NotAfter.AddDate(-1, 0, 0)) || pair.Leaf.Subject.SerialNumber != o.marker() {
		return care.Missing()
	}
	o.ca, o.key = pair.Leaf, key
	return nil
}

// marker tells for which names an authority was made.
func (o *Own) marker() string {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(o.names)), "\n")))
	return hex.EncodeToString(sum[:8])
}

func (o *Own) make() (err error) {
	if o.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	t := o.now()
	ca := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Entente at " + o.names[0], Organization: []string{"Entente, this practice's own server"}, SerialNumber: o.marker()},
		NotBefore: t.Add(-skew), NotAfter: t.Add(ownLasts),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true,
	}
	for _, n := range o.names {
		if ip := net.ParseIP(n); ip != nil {
			ca.PermittedIPRanges = append(ca.PermittedIPRanges, exactly(ip))
			continue
		}
		ca.PermittedDNSDomains = append(ca.PermittedDNSDomains, n)
	}
	// A kind of name without a constraint would be free.
	if ca.PermittedDNSDomains == nil {
		ca.PermittedDNSDomains = []string{"invalid"}
	}
	if ca.PermittedIPRanges == nil {
		ca.ExcludedIPRanges = []*net.IPNet{{IP: make(net.IP, 4), Mask: net.CIDRMask(0, 32)}, {IP: make(net.IP, 16), Mask: net.CIDRMask(0, 128)}}
	}
	ca.PermittedEmailAddresses, ca.PermittedURIDomains = []string{"invalid"}, []string{"invalid"}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &o.key.PublicKey, o.key)
	if err != nil {
		return err
	}
	o.ca, err = x509.ParseCertificate(der)
	return err
}

func exactly(ip net.IP) *net.IPNet {
	if four := ip.To4(); four != nil {
		return &net.IPNet{IP: four, Mask: net.CIDRMask(32, 32)}
	}
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)}
}

func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: the runtime ends the process instead
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

// TLS gives the settings of a server.
func (o *Own) TLS() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return o.current() })
}

// current is the certificate of the server itself; it lives in memory only and
// is made anew long before it ends.
func (o *Own) current() (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.now()
	if o.leaf != nil && t.Before(o.leaf.Leaf.NotAfter.Add(-leafLasts/3)) && t.After(o.leaf.Leaf.NotBefore) {
		return o.leaf, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: o.names[0]}, NotBefore: t.Add(-skew), NotAfter: t.Add(leafLasts),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, n := range o.names {
		if ip := net.ParseIP(n); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, o.ca, &key.PublicKey, o.key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	o.leaf = &tls.Certificate{Certificate: [][]byte{der, o.ca.Raw}, PrivateKey: key, Leaf: parsed}
	return o.leaf, nil
}

// Authority is the certificate to install on each device, in DER.
func (o *Own) Authority() []byte { return o.ca.Raw }

// Fingerprint is the SHA-256 of the authority as devices show it, for people to
// compare.
func (o *Own) Fingerprint() string {
	sum := sha256.Sum256(o.ca.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}
