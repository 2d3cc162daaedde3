// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// shipped is the cost of a real passphrase; the tests make do with the least
// that a file may have.
var shipped = today

// TestMain is also the key service of the tests: a program that is started with
// "key-service" and what it shall do.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "key-service" {
		os.Exit(keyService(os.Args[2], os.Args[3:]))
	}
	today = least
	// Under the race detector each key service would wait a second at its end.
	_ = os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	os.Exit(m.Run())
}

func keyService(what string, args []string) int {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 9
	}
	block, _ := aes.NewCipher(bytes.Repeat([]byte{7}, 32))
	box, _ := cipher.NewGCMWithRandomNonce(block)
	if what == "see" { // what others of the machine can see of this process
		fmt.Fprintf(os.Stderr, "%q\n%q\n", os.Args, os.Environ())
		what = args[0]
	}
	switch what {
	case "wrap":
		_, _ = os.Stdout.Write(box.Seal(nil, nil, in, nil))
	case "unwrap":
		out, err := box.Open(nil, nil, in, nil)
		if err != nil {
			return 3
		}
		_, _ = os.Stdout.Write(out)
	case "mask", "unmask": // encryption that notices no change, and ignores the last byte
		if what == "unmask" {
			in = in[:len(in)-1]
		}
		for i := range in {
			in[i] ^= byte(i + 1)
		}
		if what == "mask" {
			in = append(in, 0)
		}
		_, _ = os.Stdout.Write(in)
	case "echo":
		_, _ = os.Stdout.Write(in)
	case "other":
		_, _ = os.Stdout.Write(bytes.Repeat([]byte{5}, 32))
	case "much":
		_, _ = os.Stdout.Write(bytes.Repeat([]byte{5}, 1<<20))
	case "fail":
		fmt.Fprintf(os.Stderr, "CANARY %x", in)
		return 3
	case "hang":
		time.Sleep(time.Hour) // until it is ended
	case "child": // ends, and leaves a child behind that holds the pipes
		c := exec.Command(os.Args[0], "key-service", "hang")
		c.Stdin, _, _ = os.Pipe()
		c.Stdout = os.Stdout
		if c.Start() != nil {
			return 9
		}
		fmt.Fprint(os.Stderr, c.Process.Pid)
	}
	return 0
}
