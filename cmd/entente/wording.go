// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/fhir"
	"github.com/entente-project/entente/internal/app"
)

// wordingFlags are what a person decides where a file and a key leave it open.
type wordingFlags struct {
	Language  []string `help:"Languages of the form, such as it; by default every one that is complete in the file."`
	LeaveOut  []string `help:"Questions of the file (link ids) that are none of the key's and are not asked."`
	Keep      []string `help:"Questions of the file (link ids) that are none of the key's, asked last and not scored."`
	TurnBack  []string `help:"Items (link ids) whose numbers the file has turned round already."`
	Owner     string   `help:"The line that the owner of the words asks to be shown, if the file has none."`
	Ages      []string `help:"adult, adolescent, child; by default as the key says." enum:"adult,adolescent,child"`
	Informant string   `help:"Who answers, if several do: client, therapist, carer, observer."`
	Period    string   `help:"The time the items ask about: session, day, week, fortnight, month, general."`
}

func (w wordingFlags) choice(version int) instrument.Choice {
	c := instrument.Choice{Languages: w.Language, Version: version, Informant: instrument.Informant(w.Informant), Period: w.Period, Owner: w.Owner, LeaveOut: w.LeaveOut, Keep: w.Keep, TurnBack: w.TurnBack}
	for _, a := range w.Ages {
		c.Ages = append(c.Ages, instrument.AgeBand(a))
	}
	return c
}

// bind reads a file and joins it to a key; mismatches are printed, one a line.
func (w wordingFlags) bind(file, key string, version int) (instrument.Binding, error) {
	_, k, err := instrumentOf(key)
	if err != nil {
		return instrument.Binding{}, err
	}
	if k == nil {
		f, _, err := instrumentOf(key)
		if err != nil {
			return instrument.Binding{}, err
		}
		k = instrument.KeyOf(f)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return instrument.Binding{}, err
	}
	words, err := app.ReadWording(file, text)
	if err != nil {
		return instrument.Binding{}, fmt.Errorf("%s:\n%w", file, err)
	}
	b := instrument.Bind(k, words, w.choice(version))
	b.Notes = append(words.Notes, b.Notes...)
	if len(b.Mismatches) > 0 {
		lines := make([]string, len(b.Mismatches))
		for n, m := range b.Mismatches {
			lines[n] = m.String()
		}
		return b, fmt.Errorf("%s is not as the key of %s:\n%s", file, k.Name, strings.Join(lines, "\n"))
	}
	return b, nil
}

// tell writes notes beside the result, on standard error.
func tell(notes []instrument.Note) error {
	var err error
	for _, n := range notes {
		text := n.Message
		if n.Path != "" {
			text = n.Path + ": " + text
		}
		_, e := fmt.Fprintln(os.Stderr, "note: "+text)
		err = errors.Join(err, e)
	}
	return err
}

// checkWording says what a file of words holds, without a key.
func checkWording(file string, text []byte) error {
	words, err := app.ReadWording(file, text)
	if err != nil {
		return fmt.Errorf("%s:\n%w", file, err)
	}
	languages := strings.Join(words.Languages(), ", ")
	if languages == "" {
		languages = "not named"
	}
	fmt.Printf("%s: %s, %d questions, language %s: can be read\n", file, cmp.Or(words.Title.In(words.Language), "no title"), len(words.Questions()), languages)
	for _, p := range words.Aside() {
		fmt.Printf("set aside (%s): %s %s\n", p.Kind, p.ID, p.Text.In(words.Language))
	}
	fmt.Println("whether it is as a published instrument is: --key ID")
	return tell(words.Notes)
}

type instrumentImport struct {
	File    string `arg:"" help:"The words: a FHIR R4 Questionnaire (JSON), a CSV, or the YAML of a form." type:"existingfile"`
	Key     string `required:"" help:"Such as phq-9: how it is scored."`
	Version int    `default:"1" help:"Of the form; a version that was published never changes."`
	Out     string `help:"YAML file to write; by default it goes to standard output." type:"path"`
	wordingFlags
}

// Run writes the form, or all that does not agree.
func (c *instrumentImport) Run() error {
	b, err := c.bind(c.File, c.Key, c.Version)
	if err := tell(b.Notes); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	text, err := instrument.Format(b.Form)
	if err != nil {
		return err
	}
	return put(c.Out, text)
}

// put writes a file that is not there yet, or standard output.
func put(name string, text []byte) (err error) {
	if name == "" {
		_, err = os.Stdout.Write(text)
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the form, which must be a new file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(text)
	return err
}

type instrumentExport struct {
	Form   string `arg:"" help:"Such as session-client-adult, or the YAML file of a form."`
	Format string `default:"fhir" enum:"fhir,csv,yaml" help:"fhir (R4 Questionnaire), csv or yaml."`
	Out    string `help:"File to write; by default it goes to standard output." type:"path"`
}

// Run writes a form for others.
func (c *instrumentExport) Run() error {
	form, key, err := instrumentOf(c.Form)
	if err != nil {
		return err
	}
	if key != nil {
		return fmt.Errorf("%s is the key of a published instrument: it has no words to export; name the YAML file of your form", c.Form)
	}
	var out bytes.Buffer
	switch c.Format {
	case "yaml":
		text, err := instrument.Format(form)
		if err != nil {
			return err
		}
		out.Write(text)
	case "csv":
		rows, err := instrument.TableOf(instrument.WordingOf(form))
		if err != nil {
			return err
		}
		w := csv.NewWriter(&out)
		if err := w.WriteAll(rows); err != nil {
			return err
		}
	default:
		notes, err := fhir.EncodeForm(&out, form)
		if err != nil {
			return err
		}
		if err := tell(notes); err != nil {
			return err
		}
	}
	return put(c.Out, out.Bytes())
}
