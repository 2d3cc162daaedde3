// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"

	"github.com/jackc/pgx/v5"
)

// protected refuses an address of PostgreSQL by which passwords and rows would
// cross a network for anybody to read or change. Sockets and this machine are no
// network; sslmode=disable is somebody's word that theirs is protected otherwise.
func protected(dsn string) error {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("the address of the database cannot be read: %w", err)
	}
	hosts := map[string]*tls.Config{}
	for _, f := range cfg.Fallbacks { // prefer and allow stand here without TLS
		if old, known := hosts[f.Host]; !known || old != nil {
			hosts[f.Host] = f.TLSConfig
		}
	}
	if old, known := hosts[cfg.Host]; !known || old != nil {
		hosts[cfg.Host] = cfg.TLSConfig
	}
	for host, c := range hosts {
		if onThisMachine(host) || verifies(c) || strings.Contains(dsn, "sslmode=disable") {
			continue
		}
		return fmt.Errorf("the way to the PostgreSQL server %s is not protected: add sslmode=verify-full (with sslrootcert=FILE if its certificate is your own), or sslmode=disable if the network between is private and protected otherwise", host)
	}
	return nil
}

// onThisMachine says whether a host is this machine.
func onThisMachine(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	at, err := netip.ParseAddr(host)
	return err == nil && at.IsLoopback()
}

// verifies says whether the other side must prove who it is. verify-ca does so by
// a function of its own.
func verifies(c *tls.Config) bool {
	return c != nil && (!c.InsecureSkipVerify || c.VerifyPeerCertificate != nil)
}
