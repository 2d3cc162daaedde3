// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/stats/psych"
)

type ownTx interface {
	FirstResponses(practice care.ID, instrument string) ([]care.Response, error)
}

// OwnFewest is how many clients there must be before figures over them are shown:
// fewer say little, and one of them could be told from the others.
const OwnFewest = 20

// OwnFigures are what a practice's own clients say about the scores of an
// instrument: what a published figure says of its sample.
type OwnFigures struct {
	Entry       LibraryEntry
	Clients     int   // who answered it
	From, Until int64 // the first and the last of their first answers, in milliseconds
	Scales      []OwnScale
}

// OwnScale is one scale over the first answers, one of each client. What cannot
// be said is NaN.
type OwnScale struct {
	Scale            instrument.Scale
	Scored           int // clients with a score
	Mean, SD         float64
	Complete         int // clients who left out no item of it
	Alpha, Low, High float64
	Criterion        float64 // the smallest difference that is reliable at 95 %
	Lacks            OwnLack // why something cannot be said, "" if everything can
}

// OwnLack says why a figure is not there.
type OwnLack string

// Why there are no figures at all, or no alpha and no reliable change.
const (
	TooFew    OwnLack = "few"      // clients: nothing is shown
	OfScales  OwnLack = "parts"    // a score made of other scores has no alpha
	OneItem   OwnLack = "one_item" // alpha needs two
	Alike     OwnLack = "alike"    // everybody answered an item alike
	FewWhole  OwnLack = "whole"    // too few left nothing out
	BelowZero OwnLack = "negative" // the items do not go together
)

// OwnLacks lists them.
func OwnLacks() []OwnLack { return []OwnLack{TooFew, OfScales, OneItem, Alike, FewWhole, BelowZero} }

// OwnFigures works out mean, standard deviation, alpha and reliable change of an
// instrument from the practice's own clients, the first answer of each. Managers
// and researchers. Errors: not_found for an instrument that is not there.
//
// Sources: Cronbach (1951); Feldt, Woodruff & Salih (1987) for the interval;
// Jacobson & Truax (1991) for the change.
func (a *App) OwnFigures(ctx context.Context, actor care.Actor, id string) (v OwnFigures, err error) {
	if err := care.May(actor, care.SeeFigures); err != nil {
		return v, err
	}
	if v.Entry, err = a.LibraryInstrument(ctx, actor, id); err != nil {
		return v, err
	}
	var first []care.Response
	forms := map[string]*instrument.Instrument{}
	err = a.read(ctx, func(tx Tx) error {
		if first, err = tx.FirstResponses(actor.Practice, id); err != nil {
			return err
		}
		for _, r := range first {
			if forms[formKey(r)] == nil {
				if forms[formKey(r)], err = a.instrumentFor(tx, actor.Practice, r.Instrument, r.Version); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	if err := a.noteRead(ctx, actor, "read_figures", "", ""); err != nil {
		return v, err
	}
	v.Clients = len(first)
	for i, r := range first {
		if i == 0 || r.AnsweredMillis < v.From {
			v.From = r.AnsweredMillis
		}
		v.Until = max(v.Until, r.AnsweredMillis)
	}
	if f := v.Entry.Form(); f != nil {
		for _, s := range f.Scales {
			v.Scales = append(v.Scales, ownScale(s, first, forms))
		}
	}
	return v, nil
}

// ownScale works out one scale from responses whose form scores it in the same way.
func ownScale(s instrument.Scale, first []care.Response, forms map[string]*instrument.Instrument) OwnScale {
	nan := math.NaN()
	o := OwnScale{Scale: s, Mean: nan, SD: nan, Alpha: nan, Low: nan, High: nan, Criterion: nan}
	var scores, items []float64
	for _, r := range first {
		f := forms[formKey(r)]
		of, ok := f.Scale(s.ID)
		if !ok || !slices.Equal(of.Items, s.Items) || !slices.Equal(of.Reversed, s.Reversed) || !slices.Equal(of.Parts, s.Parts) || of.Method != s.Method {
			continue
		}
		for _, x := range r.Content.Scores {
			if x.Scale == s.ID && x.OK {
				scores = append(scores, x.Value)
			}
		}
		if row, whole := turned(f, s, r.Content.Answers); whole {
			items = append(items, row...)
			o.Complete++
		}
	}
	o.Scored = len(scores)
	if o.Scored < OwnFewest {
		o.Lacks = TooFew
		return o
	}
	o.Mean, o.SD = stat.MeanStdDev(scores, nil)
	o.alpha(items)
	return o
}

// alpha adds what needs the items, given person by person.
func (o *OwnScale) alpha(items []float64) {
	switch {
	case len(o.Scale.Parts) > 0:
		o.Lacks = OfScales
	case len(o.Scale.Items) < 2:
		o.Lacks = OneItem
	case o.Complete < OwnFewest:
		o.Lacks = FewWhole
	}
	if o.Lacks != "" {
		return
	}
	const level = .95
	a, err := psych.Alpha(mat.NewDense(o.Complete, len(o.Scale.Items), items), level)
	if err != nil {
		o.Lacks = Alike
		return
	}
	o.Alpha, o.Low, o.High = a.Raw, a.CI[0], a.CI[1]
	change, err := psych.NewReliableChange(o.SD, a.Raw)
	if err != nil {
		o.Lacks = BelowZero
		return
	}
	o.Criterion = change.Criterion(level)
}

// turned are the answers to a scale's items with the reversed ones turned round;
// false if one is missing.
func turned(f *instrument.Instrument, s instrument.Scale, answers instrument.Answers) ([]float64, bool) {
	row := make([]float64, 0, len(s.Items))
	for _, id := range s.Items {
		v, state := f.Read(answers, id)
		if state != instrument.Given {
			return nil, false
		}
		if it, _ := f.Item(id); slices.Contains(s.Reversed, id) {
			v = it.Min + it.Max - v
		}
		row = append(row, v)
	}
	return row, len(row) > 0
}
