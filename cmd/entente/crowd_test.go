// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
)

// fromAfar is a listener whose connections come from wherever a test says.
type fromAfar chan net.Conn

func (f fromAfar) Accept() (net.Conn, error) {
	c, ok := <-f
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (f fromAfar) Close() error   { close(f); return nil }
func (f fromAfar) Addr() net.Addr { return &net.TCPAddr{} }

type farLine struct {
	net.Conn
	from net.Addr
}

func (c farLine) RemoteAddr() net.Addr { return c.from }

// TestCrowd: an address may hold 200 connections, in IPv6 a network of 64 bits; what
// comes beyond is shut, whoever else comes is not, and a line that ends makes room.
// This machine and a proxy may hold more.
func TestCrowd(t *testing.T) {
	t.Parallel()
	far := make(fromAfar, 1000)
	l := limitCrowd(far, []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")})
	var theirs []net.Conn
	come := func(n int, from func(i int) string) {
		for i := range n {
			here, there := net.Pipe()
			theirs = append(theirs, there)
			far <- farLine{here, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from(i)), 1024))}
		}
	}
	always := func(text string) func(int) string { return func(int) string { return text } }
	come(linesByAddress+50, always("198.51.100.7"))
	come(3, always("198.51.100.8"))
	come(linesByAddress+5, func(i int) string { return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)}).String() })
	come(linesByAddress+5, always("127.0.0.1"))
	come(linesByAddress+5, always("203.0.113.9"))
	held := map[string][]net.Conn{}
	for range linesByAddress + 3 + linesByAddress + 2*(linesByAddress+5) {
		c := must[net.Conn](t)(l.Accept())
		from, _ := l.(*crowdLimit).from(c)
		held[from.String()] = append(held[from.String()], c)
	}
	for from, want := range map[string]int{"198.51.100.7": linesByAddress, "198.51.100.8": 3, "2001:db8::": linesByAddress, "127.0.0.1": linesByAddress + 5, "203.0.113.9": linesByAddress + 5} {
		if n := len(held[from]); n != want {
			t.Errorf("%s holds %d", from, n)
		}
	}
	if _, err := theirs[linesByAddress].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("one too many is told %v", err)
	}
	for range 2 { // closed twice counts once
		_ = held["198.51.100.7"][0].Close()
	}
	come(2, always("198.51.100.7"))
	must[net.Conn](t)(l.Accept())
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a second line found room: %v", err)
	}
	for _, all := range held {
		for _, c := range all {
			_ = c.Close()
		}
	}
	if n := len(l.(*crowdLimit).lines); n != 1 { // the one that was let in last
		t.Errorf("%d addresses are remembered", n)
	}
}
