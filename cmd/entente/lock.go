// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/entente-project/entente/internal/vault"
)

// lockFlags say what opens the key file. The commands come from the operator's
// settings and never from the file: who can write it must not choose what runs.
type lockFlags struct {
	KeyPassphrase string   `name:"key-passphrase-file" help:"File whose first line is the passphrase of the key file; /dev/stdin or /dev/fd/3 to hand it over without a file." type:"path"`
	KeyWrap       []string `help:"Command of a key service that wraps: the program and each argument, separated by commas. It is given 32 bytes on standard input and prints what it made of them. Needed to make or change a key file." sep:"," name:"key-wrap-command"`
	KeyUnwrap     []string `help:"Command of a key service that unwraps: it is given what the other printed, and prints the 32 bytes, raw." sep:"," name:"key-unwrap-command"`
}

// lock is what the flags name; the caller clears it when the file is open.
func (f lockFlags) lock() (vault.Lock, error) {
	byCommand := len(f.KeyWrap)+len(f.KeyUnwrap) > 0
	switch {
	case byCommand && f.KeyPassphrase != "":
		return vault.NoLock(), errors.New("--key-passphrase-file and the commands of a key service cannot both open one key file; give one of them")
	case byCommand:
		return vault.Command(vault.CommandLine{Wrap: f.KeyWrap, Unwrap: f.KeyUnwrap, Stderr: os.Stderr}), nil
	case f.KeyPassphrase != "":
		return passphraseIn(f.KeyPassphrase)
	}
	return vault.NoLock(), nil
}

// passphraseIn reads the first line, and nothing beyond what a passphrase can
// be long.
func passphraseIn(path string) (vault.Lock, error) {
	f, err := os.Open(path)
	if err != nil {
		return vault.NoLock(), fmt.Errorf("the file of the passphrase: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	text := make([]byte, 4096)
	defer clear(text)
	n, err := io.ReadFull(f, text)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return vault.NoLock(), fmt.Errorf("the file of the passphrase: %w", err)
	}
	line, _, _ := bytes.Cut(text[:n], []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return vault.NoLock(), fmt.Errorf("the first line of %s is empty; it should be the passphrase", path)
	}
	return vault.Passphrase(line), nil
}
