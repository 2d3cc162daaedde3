// SPDX-License-Identifier: AGPL-3.0-or-later

// Package i18n holds every sentence the program says, in each of its languages,
// and writes numbers, dates and lists as each language does.
//
// It must never choose a language for somebody (package web does that), hold
// the wording of a questionnaire, or fall back from one language to another in
// silence: a test fails for every message that a language lacks and for every
// message that is asked for and does not exist. Start with Printer (printer.go);
// the sentences are in messages/NAME.LANGUAGE.yaml.
package i18n
