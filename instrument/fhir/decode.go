// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
)

// reader walks a file and gathers what is wrong and what it did not take over.
type reader struct {
	problems []Problem
	notes    []instrument.Note
	again    map[string]int // how often a sentence was noted, by its place in notes
	language string
	sets     map[string]node // contained value sets, by "#id" and by address
	systems  map[string]node // contained code systems, by address
}

func (r *reader) fail(path, format string, args ...any) {
	switch {
	case len(r.problems) > maxProblems:
	case len(r.problems) == maxProblems:
		r.problems = append(r.problems, Problem{Message: "There are further problems; mend those above first."})
	default:
		r.problems = append(r.problems, Problem{path, crop(fmt.Sprintf(format, args...))})
	}
}

// crop keeps a hostile file from making a sentence many times its own size.
func crop(s string) string {
	const most = 400
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// note keeps one sentence for each thing, however many items it concerns.
func (r *reader) note(path, format string, args ...any) {
	text := crop(fmt.Sprintf(format, args...))
	if r.again[text]++; r.again[text] == 1 && len(r.notes) < maxNotes {
		r.notes = append(r.notes, instrument.Note{Path: path, Message: text})
	}
}

// finished are the notes, with how many further places each is about.
func (r *reader) finished() []instrument.Note {
	for i, n := range r.notes {
		if more := r.again[n.Message] - 1; more > 0 {
			r.notes[i].Message = fmt.Sprintf("%s (and at %d more)", n.Message, more)
		}
	}
	return r.notes
}

// Decode reads the words of a FHIR R4 Questionnaire in JSON. The error is an
// *Error for a file that cannot be taken as a questionnaire; what is harmless and
// not read stands in the notes.
func Decode(from io.Reader) (*instrument.Wording, error) {
	fields, err := parse(from)
	if err != nil {
		return nil, err
	}
	r := &reader{again: map[string]int{}, sets: map[string]node{}, systems: map[string]node{}}
	root := node{r, fields, ""}
	root = r.resource(root)
	if len(r.problems) > 0 {
		return nil, &Error{r.problems}
	}
	w := r.questionnaire(root)
	if len(r.problems) == 0 && len(w.Questions()) == 0 {
		r.fail("item", "The questionnaire has no question that is answered by a choice or a number.")
	}
	if len(r.problems) > 0 {
		return nil, &Error{r.problems}
	}
	w.Notes = r.finished()
	return w, nil
}

// resource is the questionnaire itself, also where a server wrapped it alone.
func (r *reader) resource(root node) node {
	switch kind := root.str("resourceType"); kind {
	case "Questionnaire":
	case "":
		r.fail("resourceType", "The file does not say that it is a Questionnaire; export it as a FHIR R4 Questionnaire.")
	case "QuestionnaireResponse":
		r.fail("resourceType", "The file holds somebody's answers (QuestionnaireResponse); take the Questionnaire itself, without answers.")
	case "Bundle":
		var found []node
		for _, e := range root.list("entry") {
			if q, ok := e.object("resource"); ok && q.str("resourceType") == "Questionnaire" {
				found = append(found, q)
			}
		}
		if len(found) == 1 {
			r.note("entry", "The file is a Bundle; its only Questionnaire is read.")
			return found[0]
		}
		r.fail("entry", "The file is a Bundle with %d Questionnaires; take the one that is wanted out of it.", len(found))
	default:
		r.fail("resourceType", "The file holds %q in place of a Questionnaire.", kind)
	}
	return root
}

func (r *reader) questionnaire(q node) *instrument.Wording {
	q.unread("resourceType", "id", "meta", "text", "contained", "extension", "modifierExtension", "implicitRules", "language", "url", "version", "name", "title",
		"status", "experimental", "subjectType", "date", "publisher", "contact", "description", "useContext", "jurisdiction", "purpose", "copyright",
		"approvalDate", "lastReviewDate", "effectivePeriod", "identifier", "code", "item", "derivedFrom")
	if q.has("modifierExtension") {
		r.fail(q.at("modifierExtension"), "The file says that it must not be read without understanding an addition of its maker's; ask them for a plain export.")
	}
	if q.has("implicitRules") {
		r.fail(q.at("implicitRules"), "The file follows rules that stand elsewhere (implicitRules); ask its maker for a plain export.")
	}
	if q.has("derivedFrom") {
		r.note(q.at("derivedFrom"), "The questionnaire is derived from another one, which is not looked at.")
	}
	switch q.str("status") {
	case "draft":
		r.note(q.at("status"), "Its maker calls it a draft.")
	case "retired":
		r.note(q.at("status"), "Its maker has retired it.")
	}
	r.language = r.tag(q.at("language"), q.str("language"))
	r.contained(q)
	q.extensions(nil)
	w := &instrument.Wording{Language: r.language, Source: source(q), Title: q.words("title"), About: q.words("description"), Owner: q.words("copyright")}
	if len(w.Title) == 0 {
		w.Title = q.words("name")
	}
	if !q.has("item") {
		r.fail("item", "The questionnaire has no items.")
	}
	w.Parts = r.parts(q, map[string]string{})
	return w
}

// source is how the questionnaire names itself.
func source(q node) string {
	if url := q.str("url"); url != "" {
		if v := q.str("version"); v != "" {
			url += "|" + v
		}
		return url
	}
	for _, id := range q.list("identifier") {
		if s, v := id.str("system"), id.str("value"); v != "" {
			return strings.Trim(s+"|"+v, "|")
		}
	}
	return q.str("id")
}

var tagPattern = regexp.MustCompile(`^([A-Za-z]{2,3})(?:-([A-Za-z]{2}))?$`)

// tag is a language as the program writes it: "en", "de-CH".
func (r *reader) tag(path, s string) string {
	if s == "" {
		return ""
	}
	m := tagPattern.FindStringSubmatch(s)
	if m == nil {
		main, _, _ := strings.Cut(s, "-")
		if m = tagPattern.FindStringSubmatch(main); m == nil {
			r.fail(path, "%q is not a language such as \"en\" or \"de-CH\".", s)
			return ""
		}
		r.note(path, "The language %q is taken as %q.", s, main)
	}
	if m[2] == "" {
		return strings.ToLower(m[1])
	}
	return strings.ToLower(m[1]) + "-" + strings.ToUpper(m[2])
}

// words is a text field with its translations; nil where there is none.
func (n node) words(key string) instrument.Text {
	out := instrument.Text{}
	if s := strings.TrimSpace(n.str(key)); s != "" {
		out[n.r.language] = s
	}
	if more, ok := n.object("_" + key); ok {
		for _, e := range more.list("extension") {
			if url := e.str("url"); url != translationURL {
				n.r.extension(e, url)
				continue
			}
			n.r.translation(e, out)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (r *reader) translation(e node, out instrument.Text) {
	var lang, text string
	for _, part := range e.list("extension") {
		switch part.str("url") {
		case "lang":
			lang = r.tag(part.path, part.str("valueCode"))
		case "content":
			text = strings.TrimSpace(part.str("valueString") + part.str("valueMarkdown"))
		}
	}
	switch {
	case lang == "" || text == "":
		r.fail(e.path, "A translation needs its language (lang) and its text (content).")
	case out[lang] != "" && out[lang] != text:
		r.fail(e.path, "There are two wordings in %q; delete the one that is wrong.", lang)
	default:
		out[lang] = text
	}
}

// extensions hands each extension that is wanted over by its address and tells
// of the others.
func (n node) extensions(wanted map[string]func(node)) {
	for _, e := range n.list("extension") {
		url := e.str("url")
		if read := wanted[url]; read != nil {
			read(e)
			continue
		}
		n.r.extension(e, url)
	}
}

func (r *reader) extension(e node, url string) {
	if !slices.Contains(harmless, url) {
		r.note(e.path, "The extension %q is not read.", url)
	}
}
