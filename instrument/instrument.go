// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"slices"
	"strconv"
)

// Informant is who rates.
type Informant string

// The informants.
const (
	Client    Informant = "client"
	Therapist Informant = "therapist"
	Carer     Informant = "carer"
	Observer  Informant = "observer"
)

// AgeBand is the age of the client of the episode, not of the informant: a
// carer's form carries the bands of the children it is about.
type AgeBand string

// The age bands: 18 and over, 13 to 17, 6 to 12.
const (
	Adult      AgeBand = "adult"
	Adolescent AgeBand = "adolescent"
	Child      AgeBand = "child"
)

// Setting is in what company the client comes.
type Setting string

// The settings.
const (
	Alone  Setting = "alone"
	Couple Setting = "couple"
	Family Setting = "family"
	Group  Setting = "group"
)

// Kind is what an instrument is for.
type Kind string

// The kinds. A prediction is a guess of what another informant answered, made
// before that answer is seen. Process is what goes on in the sessions beside the
// alliance, such as Rogers' conditions or the client's involvement; such a form is
// asked where somebody chose it.
const (
	Alliance   Kind = "alliance"
	Outcome    Kind = "outcome"
	Prediction Kind = "prediction"
	Process    Kind = "process"
)

// Dimension is what a scale is about: one of Bordin's three dimensions of the
// alliance (1979), the whole of a form, or the direct question on tension.
type Dimension string

// The dimensions. Whole is a total, or the single dimension of a form that
// does not separate bond, tasks and goals.
const (
	Bond    Dimension = "bond"
	Tasks   Dimension = "tasks"
	Goals   Dimension = "goals"
	Whole   Dimension = "whole"
	Tension Dimension = "tension"
	Part    Dimension = "part" // a scale about anything else: scored and told, in no picture
)

// Display is how an item is drawn.
type Display string

// The displays: an unmarked line between two labels, or a row of buttons.
const (
	Line    Display = "line"
	Buttons Display = "buttons"
)

// Drawing is a row of pictures for buttons, drawn by us: from little to much for
// the first, from calm to stormy for the second.
type Drawing string

// The drawings.
const (
	Plant   Drawing = "plant"
	Weather Drawing = "weather"
)

// Method is how the items of a scale become its score.
type Method string

// The methods.
const (
	Mean Method = "mean"
	Sum  Method = "sum"
)

// Instrument is one version of a form for one informant. An instrument from
// Parse keeps every rule named there; it is shared and must not be changed.
type Instrument struct {
	// ID and Version name the form for ever: a published version is not edited.
	ID      string
	Version int
	Kind    Kind
	// Name is for staff, Title and Intro for the person who answers.
	Name, Title, Intro Text
	Informant          Informant
	// Ages are the age bands of the clients with whom the form is used.
	Ages []AgeBand
	// Settings are those that the form is made for; none: any.
	Settings []Setting
	// Predicts is, for a prediction only, the ID of the form whose scores are
	// guessed. A prediction for several age bands names the adults' form; with
	// an adolescent or a child compare it, by dimension and as [Scale.Share],
	// with the form of that band.
	Predicts string
	// Period is the time the items ask about: "session", "day", "week",
	// "fortnight", "month" or "general".
	Period         string
	HigherIsBetter bool
	// Validated is false for a form whose psychometric properties have not been
	// studied; such a form must be labelled "not yet validated" wherever shown.
	Validated bool
	Licence   Licence
	Items     []Item
	Scales    []Scale
	// CommentPrompt invites the person's own words; empty means no comment box.
	CommentPrompt Text
}

// Licence says under which terms the wording may be used. Notice is the line
// that has to be visible to the person who answers.
type Licence struct {
	SPDX, Holder string
	Notice       Text
}

// Item is one question. Its numbers run from Min to Max: for a line as the file
// says, in steps of Step; for buttons, the least and the greatest value of the
// options that are numbers, with Step 0. Low and High label the ends of a line.
type Item struct {
	ID             string
	Text           Text
	Display        Display
	Min, Max, Step float64
	Low, High      Text
	Options        []Option
	// Drawing is what stands above each button, for whoever does not read yet; none:
	// nothing does. It says nothing that the labels do not say.
	Drawing Drawing
	// Tension marks the direct question on tension between the persons: it may
	// raise a signal by itself and is never part of another dimension's scale.
	Tension bool
}

// Option is one button. With NoAnswer ("rather not say") Value only stands for
// the button in [Answers]: it is an answer with nothing in it, never a number.
type Option struct {
	Value    float64
	Label    Text
	NoAnswer bool
}

// Scale is one score of an instrument and how it is computed.
type Scale struct {
	ID        string
	Name      Text
	Dimension Dimension
	// Items are the IDs of the items; Reversed those of them that are turned
	// round within their own range before they are used.
	Items, Reversed []string
	Method          Method
	// Times multiplies what the method gives (0 stands for 1), as in 10 times a
	// mean; Rounded then takes the nearest whole number, halves upwards.
	Times   float64
	Rounded bool
	// Parts, in place of items, make a score out of other scales' scores: there is
	// one only if all of them have one.
	Parts []ScalePart
	// MissingAllowed is how many items may be missing for a score to be given.
	MissingAllowed int
	// Min and Max bound the score; Parse derives them where the file is silent.
	Min, Max       float64
	HigherIsBetter bool
	Reliability    *Reliability
	Cutoff         *Cutoff
}

// ScalePart is a scale that goes into another with a weight.
type ScalePart struct {
	Scale  string
	Weight float64
}

// Reliability is a published reliability coefficient, 0 to 1, with the standard
// deviation of the score in the same sample and the source of both.
type Reliability struct {
	Value, SD float64
	Source    string
}

// Cutoff is a published threshold in units of the score, with its source.
type Cutoff struct {
	Value  float64
	Label  Text
	Source string
}

// Share is value as a share of the scale's range, 0 to 1, turned so that higher
// is better. Forms of different length and range are compared by it. It is NaN
// for NaN, and for a scale without a range.
func (s Scale) Share(value float64) float64 {
	share := (value - s.Min) / (s.Max - s.Min)
	if !s.HigherIsBetter {
		share = 1 - share
	}
	return share
}

// Scale is the scale with this ID; false if there is none.
func (i *Instrument) Scale(id string) (Scale, bool) {
	for _, s := range i.Scales {
		if s.ID == id {
			return s, true
		}
	}
	return Scale{}, false
}

// Item is the item with this ID; false if there is none.
func (i *Instrument) Item(id string) (Item, bool) {
	for _, it := range i.Items {
		if it.ID == id {
			return it, true
		}
	}
	return Item{}, false
}

// Dimensions are the dimensions that have a scale, each once, in the order of
// the scales.
func (i *Instrument) Dimensions() []Dimension {
	var out []Dimension
	for _, s := range i.Scales {
		if !slices.Contains(out, s.Dimension) {
			out = append(out, s.Dimension)
		}
	}
	return out
}

// Languages are the languages of the wording, sorted.
func (i *Instrument) Languages() []string { return i.Name.languages() }

// Key is "id@version", the name under which a response stores its form.
func (i *Instrument) Key() string { return i.ID + "@" + strconv.Itoa(i.Version) }
