// SPDX-License-Identifier: AGPL-3.0-or-later

// Package analysis is the command line of the statistics: it reads a table,
// hands it to the public packages under stats, and turns what they say into one
// document that can be read as a table, as JSON, as a picture, or as the R code
// of the same analysis.
//
// Commands holds the commands with their flags, named in the words of the field;
// cmd/entente embeds it and does nothing else. Each command's file has its flags,
// its Run, and what it prints; the R code stands beside it.
//
// The package must never estimate anything itself, print a number that the
// public packages did not give, put NaN or an infinity into JSON, leave a row
// out without saying so, or write half a file.
//
// Start with Commands (command.go), then Document (document.go), then meta.go.
package analysis
