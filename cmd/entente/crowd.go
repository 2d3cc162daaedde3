// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net"
	"net/netip"
	"sync"
)

// linesByAddress is how many connections one address may hold. All of a clinic may
// have one address: thirty devices with six lines each fit.
const linesByAddress = 200

// crowdLimit is a listener that shuts at once what comes from an address that holds
// as many connections as it may, so that one machine cannot take those of all.
// This machine and the proxies in front are let be: many come through them.
type crowdLimit struct {
	net.Listener
	proxies []netip.Prefix

	mu    sync.Mutex
	lines map[netip.Addr]int
}

func limitCrowd(l net.Listener, proxies []netip.Prefix) net.Listener {
	return &crowdLimit{Listener: l, proxies: proxies, lines: map[netip.Addr]int{}}
}

// Accept gives the next connection that may be held.
func (l *crowdLimit) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, counted := l.from(c)
		if !counted {
			return c, nil
		}
		if l.take(from) {
			return &crowdLine{Conn: c, gone: sync.OnceFunc(func() { l.give(from) })}, nil
		}
		_ = c.Close() // it is not ours any more, whatever became of it
	}
}

// from is whom a connection counts for: an address, or in IPv6 the network of 64
// bits that one line gets, because each machine in it has addresses without end.
func (l *crowdLimit) from(c net.Conn) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}, false
	}
	a := at.Addr().Unmap().WithZone("")
	if a.IsLoopback() {
		return a, false
	}
	for _, p := range l.proxies {
		if p.Contains(a) {
			return a, false
		}
	}
	if a.Is6() {
		a = netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a, true
}

func (l *crowdLimit) take(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines[from] >= linesByAddress {
		return false
	}
	l.lines[from]++
	return true
}

func (l *crowdLimit) give(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines[from]--; l.lines[from] == 0 {
		delete(l.lines, from)
	}
}

// crowdLine is a connection that counts until it is closed.
type crowdLine struct {
	net.Conn
	gone func()
}

// Close ends the connection, which then counts no more.
func (c *crowdLine) Close() error {
	c.gone()
	return c.Conn.Close()
}
