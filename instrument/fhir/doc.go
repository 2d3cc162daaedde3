// SPDX-License-Identifier: AGPL-3.0-or-later

// Package fhir reads and writes questionnaires as FHIR R4 Questionnaire
// resources in JSON.
//
// [Decode] takes the words of a file and the number of each answer, in whichever
// of the usual ways the file gives it; it says by path what is wrong, and what it
// did not take over. [instrument.Bind] joins the words to the key of a published
// instrument. [EncodeForm] writes a form with its scores, [Encode] words alone.
//
// The package knows nothing of HTTP, files or a server: what a Questionnaire
// refers to has to be inside it. It never guesses a number for an answer.
//
// Start reading at decode.go, then answers.go for the numbers of the answers and
// form.go for the way out.
package fhir
