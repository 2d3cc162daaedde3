// SPDX-License-Identifier: AGPL-3.0-or-later

// Package table reads delimited text files of uncertain origin, row by row, for
// imports: whatever encoding, delimiter and line ends a spreadsheet or another
// program gave them.
//
// [Open] looks at the beginning and refuses what is no such file (a workbook, a
// PDF, an archive) with one clear sentence. [Reader.Next] then gives one row at
// a time, in memory that does not grow with the file. [ParseNumber],
// [ParseTime] and [DateSniffer] read single cells, and refuse what could mean
// two things instead of guessing.
//
// The package must never guess a number or a date that has two readings, never
// drop or repair a row unseen, never hold the whole file, and knows nothing of
// clients, databases or the web. Errors are [Problem] values with a code, so
// that a caller can say them in another language.
//
// Start reading at reader.go, then scan.go (the rows), detect.go (encoding and
// delimiter), number.go and date.go.
package table
