// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"os"

	"github.com/alecthomas/kong"

	"github.com/entente-project/entente/internal/analysis"
)

// Codes that the program ends with when something is wrong.
const (
	codeFailed = 1
	codeUsage  = 2
)

// exit ends the program; what kong calls a usage error has our code.
func exit(code int) {
	if code > codeUsage {
		code = codeUsage
	}
	os.Exit(code)
}

// codeOf is the code for an error of a command.
func codeOf(err error) int {
	var usage *analysis.UsageError
	if errors.As(err, &usage) {
		return codeUsage
	}
	return codeFailed
}

// streams are those of the terminal.
func streams() *analysis.Streams {
	return &analysis.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
}

// statsWithoutEnvironment lets no variable of the environment change an analysis:
// a result must follow from its command line. It comes after kong.DefaultEnvars.
func statsWithoutEnvironment() kong.Option {
	var clear func(n *kong.Node)
	clear = func(n *kong.Node) {
		for _, f := range n.Flags {
			f.Envs, f.Tag.Envs = nil, nil
		}
		for _, c := range n.Children {
			clear(c)
		}
	}
	return kong.PostBuild(func(k *kong.Kong) error {
		for _, n := range k.Model.Children {
			if n.Name == "stats" {
				clear(n)
			}
		}
		return nil
	})
}
