// SPDX-License-Identifier: AGPL-3.0-or-later

package i18n

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
)

//go:embed messages/*.yaml
var files embed.FS

// English and Italian are the languages of the program.
const (
	English = "en"
	Italian = "it"
)

// Languages lists the languages of the program as BCP 47 tags, English first.
func Languages() []string { return []string{English, Italian} }

// Known reports whether lang is exactly one of Languages.
func Known(lang string) bool { return slices.Contains(Languages(), lang) }

// Match picks the language for an Accept-Language header, in the order the
// reader prefers; English when none fits or the header cannot be read.
func Match(accept string) string {
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return English
	}
	for _, tag := range tags {
		if base, sure := tag.Base(); sure != language.No && Known(base.String()) {
			return base.String()
		}
	}
	return English
}

// printers panics on a bad file: the files are part of the program, and a test
// reads each of them.
var printers = sync.OnceValue(func() map[string]*Printer {
	bundle := goi18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	entries, err := files.ReadDir("messages")
	if err != nil {
		panic(fmt.Errorf("messages: %w", err))
	}
	keys := map[string]map[string]bool{}
	for _, e := range entries {
		data, err := files.ReadFile("messages/" + e.Name())
		if err != nil {
			panic(fmt.Errorf("messages: %w", err))
		}
		file, err := bundle.ParseMessageFileBytes(data, e.Name())
		if err != nil {
			panic(fmt.Errorf("messages %s: %w", e.Name(), err))
		}
		lang := file.Tag.String()
		if keys[lang] == nil {
			keys[lang] = map[string]bool{}
		}
		for _, m := range file.Messages {
			keys[lang][m.ID] = true
		}
	}
	out := map[string]*Printer{}
	for _, lang := range Languages() {
		out[lang] = &Printer{lang: lang, loc: goi18n.NewLocalizer(bundle, lang), keys: keys[lang], form: forms[lang], said: new(sync.Map)}
	}
	return out
})

// For gives the printer of a language; a regional tag ("it-CH") means its main
// language and an unknown one English.
func For(lang string) *Printer {
	base, _, _ := strings.Cut(lang, "-")
	if p, ok := printers()[base]; ok {
		return p
	}
	return printers()[English]
}
