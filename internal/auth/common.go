// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the list of common passwords
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

//go:embed common.txt.gz
var packedCommon []byte

// leastListed is how short the shortest password on the list is.
const leastListed = 8

// mostListed is how many listed passwords in a row are still no passphrase: two
// of 18,000 are 28 bits, which is a few minutes' work.
const mostListed = 2

// listed are the passwords everybody tries, in lower case and in order. The list
// is unpacked when a password is first chosen: most servers' lives never need it.
var listed = sync.OnceValue(func() []string {
	r, err := gzip.NewReader(bytes.NewReader(packedCommon))
	if err != nil {
		panic(fmt.Errorf("auth: the list of common passwords: %w", err))
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(fmt.Errorf("auth: the list of common passwords: %w", err))
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
})

// isListed reports whether the whole of p is on the list.
func isListed(p string) bool {
	_, found := slices.BinarySearch(listed(), p)
	return found
}

// longestListed is the length of the longest listed password p begins with.
func longestListed(p []rune) int {
	for n := min(len(p), 24); n >= leastListed; n-- {
		if isListed(string(p[:n])) {
			return n
		}
	}
	return 0
}
