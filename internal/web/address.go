// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// address is where a request came from, without the port, by which tries are
// counted. X-Forwarded-For is read from its end and only as far as proxies of ours
// wrote it: anybody can send one.
func (s *Server) address(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	from := at.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !s.ours(from) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		from = before.Unmap()
	}
	if from.Is6() { // one connection has a whole network of them
		if p, err := from.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return from.String()
}

// ours tells whether an address is one of the proxies in front of this server.
func (s *Server) ours(a netip.Addr) bool {
	return slices.ContainsFunc(s.cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}
