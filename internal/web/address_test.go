// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

// TestAddress: what a stranger writes into the header is never believed, and what
// a proxy of ours adds at its end is.
func TestAddress(t *testing.T) {
	t.Parallel()
	proxied := &Server{cfg: Config{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")}}}
	for _, c := range []struct {
		server       *Server
		remote, want string
		header       []string
	}{
		{&Server{}, "203.0.113.7:5000", "203.0.113.7", nil},
		{&Server{}, "203.0.113.7:5000", "203.0.113.7", []string{"198.51.100.1"}},
		{&Server{}, "127.0.0.1:5000", "127.0.0.1", []string{"198.51.100.1"}},
		{proxied, "127.0.0.1:5000", "198.51.100.1", []string{"198.51.100.1"}},
		{proxied, "127.0.0.1:5000", "198.51.100.1", []string{"192.0.2.66, 198.51.100.1"}},
		{proxied, "127.0.0.1:5000", "198.51.100.1", []string{"192.0.2.66", " 198.51.100.1 , 10.1.2.3"}},
		{proxied, "203.0.113.7:5000", "203.0.113.7", []string{"198.51.100.1"}},
		{proxied, "127.0.0.1:5000", "127.0.0.1", []string{"nonsense"}},
		{proxied, "127.0.0.1:5000", "127.0.0.1", []string{"198.51.100.1, <script>"}},
		{proxied, "127.0.0.1:5000", "127.0.0.1", nil},
		{proxied, "10.1.9.9:5000", "10.1.2.3", []string{"10.1.2.3"}},
		{proxied, "[::1]:5000", "2001:db8:1:2::/64", []string{"2001:db8:1:2:3:4:5:6"}},
		{proxied, "[::ffff:127.0.0.1]:5000", "198.51.100.1", []string{"::ffff:198.51.100.1"}},
		{&Server{}, "[2001:db8:1:2::9]:5000", "2001:db8:1:2::/64", nil},
		{&Server{}, "@", "@", nil},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		for _, h := range c.header {
			r.Header.Add("X-Forwarded-For", h)
		}
		if got := c.server.address(r); got != c.want {
			t.Errorf("from %s with %q: %s, not %s", c.remote, c.header, got, c.want)
		}
	}
}
