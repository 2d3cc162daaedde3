// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

// course is all that was rated in one episode about one client, put in order.
type course struct {
	sessions  []care.Session // held, by time
	missed    []care.Session // planned, and nobody came
	responses []care.Response
	forms     map[string]*instrument.Instrument // by key
	head      map[string]*instrument.Instrument // by key, see headOf
	rule      alliance.Rule                     // by which it is judged
}

// course reads an episode's course from the store.
func (a *App) course(tx Tx, e care.Episode, client care.ID) (c course, err error) {
	all, err := tx.Sessions(e.Practice, e.ID)
	if err != nil {
		return c, err
	}
	for _, s := range all {
		if s.Status == care.Held {
			c.sessions = append(c.sessions, s)
		}
		if s.Status == care.Missed {
			c.missed = append(c.missed, s)
		}
	}
	if c.responses, err = tx.Responses(e.Practice, e.ID, client); err != nil {
		return c, err
	}
	if c.rule, err = a.rule(tx, e.Practice); err != nil {
		return c, err
	}
	c.forms = map[string]*instrument.Instrument{}
	for _, r := range c.responses {
		k := formKey(r)
		if c.forms[k] == nil {
			if c.forms[k], err = a.instrumentFor(tx, e.Practice, r.Instrument, r.Version); err != nil {
				return c, err
			}
		}
	}
	c.head = headOf(c.forms)
	return c, nil
}

func formKey(r care.Response) string {
	return (&instrument.Instrument{ID: r.Instrument, Version: r.Version}).Key()
}

// bySession gathers what was said about each session, in the order of the course.
func (c course) bySession() map[care.ID][]care.Response {
	out := make(map[care.ID][]care.Response, len(c.sessions))
	for _, r := range c.responses {
		out[r.Session] = append(out[r.Session], r)
	}
	return out
}

// without leaves out what a respondent said about one session.
func (c course) without(session care.ID) course {
	c.responses = slices.DeleteFunc(slices.Clone(c.responses), func(r care.Response) bool {
		return r.Session == session && r.Informant != care.ByTherapist
	})
	return c
}

// measures draws together what belongs on one axis: each form a client or carer
// answered, with the therapist's rating and guess beside those of its kind. Of the
// process the therapist's forms are measures of their own.
func (c course) measures(kind instrument.Kind) (out []Measure) {
	var ids []string
	for _, r := range c.responses {
		f := c.forms[formKey(r)]
		shown := r.Informant != care.ByTherapist || kind == instrument.Process
		if f.Kind == kind && shown && !slices.Contains(ids, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	onlyTherapist := len(ids) == 0
	if onlyTherapist { // a course may begin with the therapist's own rating
		for _, r := range c.responses {
			if f := c.forms[formKey(r)]; f.Kind == kind && !slices.Contains(ids, f.ID) {
				ids = append(ids, f.ID)
			}
		}
	}
	var heads []*instrument.Instrument
	for _, id := range ids {
		heads = append(heads, c.heads(id)...)
	}
	for i, f := range heads {
		for _, by := range c.raters(f) {
			m := c.measure(f, by)
			m.Earlier = i > 0 && heads[i-1].ID == f.ID
			if kind == instrument.Alliance && !onlyTherapist && f.Informant != instrument.Carer {
				c.besides(&m)
			}
			out = append(out, m)
		}
	}
	return out
}

// raters are whose ratings by a form make a course each: every carer's is their own.
// Of the others there is one course, whoever it was.
func (c course) raters(head *instrument.Instrument) (out []care.ID) {
	if head.Informant != instrument.Carer {
		return []care.ID{""}
	}
	want := c.of(head)
	for _, r := range c.responses {
		if want(r) && !slices.Contains(out, r.By) {
			out = append(out, r.By)
		}
	}
	return out
}

// besides sets the therapist's rating and guess beside what the client said.
func (c course) besides(m *Measure) {
	m.Therapist = c.beside(instrument.Alliance, *m)
	m.Predicted = c.beside(instrument.Prediction, *m)
	m.Gaps = map[alliance.Dimension][]alliance.GapPoint{}
	for _, s := range m.Client {
		for _, t := range m.Therapist {
			if s.Dimension == t.Dimension {
				m.Gaps[s.Dimension] = alliance.Gap(s, t)
			}
		}
	}
}

// dimensions of a form that stand for themselves in a picture: bond, tasks and
// goals where it separates them, one whole where it does not.
func dimensions(f *instrument.Instrument) (ds []instrument.Dimension, separates bool) {
	for _, d := range []instrument.Dimension{instrument.Bond, instrument.Tasks, instrument.Goals} {
		if _, ok := scaleOf(f, d); ok {
			ds = append(ds, d)
		}
	}
	if len(ds) > 1 {
		return ds, true
	}
	return []instrument.Dimension{instrument.Whole}, false
}

// scaleOf returns the scale of a dimension; a form with one scale only has it as
// its whole, whatever it is called.
func scaleOf(f *instrument.Instrument, d instrument.Dimension) (instrument.Scale, bool) {
	for _, s := range f.Scales {
		if s.Dimension == d {
			return s, true
		}
	}
	if d == instrument.Whole && len(f.Scales) == 1 {
		return f.Scales[0], true
	}
	return instrument.Scale{}, false
}

func (c course) measure(f *instrument.Instrument, by care.ID) Measure {
	m := Measure{Instrument: f, By: by}
	ds, separates := dimensions(f)
	m.Separates = separates
	for _, d := range ds {
		scale, ok := scaleOf(f, d)
		if !ok {
			continue
		}
		m.Min, m.Max = scale.Min, scale.Max
		s := c.series(scale, alliance.Informant(f.Informant), c.ofRater(f, by))
		s.Rater = string(by)
		m.Client = append(m.Client, s)
	}
	return m
}

// beside gives the therapist's series of a kind, on the axis of m.
func (c course) beside(kind instrument.Kind, m Measure) (out []alliance.Series) {
	for _, own := range m.Client {
		for _, f := range c.headsOf(kind, instrument.Therapist) {
			scale, ok := scaleOf(f, instrument.Dimension(own.Dimension))
			if !ok {
				continue
			}
			s := c.series(scale, alliance.Therapist, c.of(f))
			for i, p := range s.Points { // two forms may have other ranges: compare shares of them
				s.Points[i].Value = own.Min + (p.Value-scale.Min)/(scale.Max-scale.Min)*(own.Max-own.Min)
			}
			s.Min, s.Max = own.Min, own.Max
			out = append(out, s)
			break
		}
	}
	return out
}

// series orders the scores of one scale by session; a session that was not rated
// is a gap, never a zero.
func (c course) series(scale instrument.Scale, who alliance.Informant, want func(care.Response) bool) alliance.Series {
	s := alliance.Series{Dimension: alliance.Dimension(scale.Dimension), Informant: who, Min: scale.Min, Max: scale.Max, HigherIsBetter: scale.HigherIsBetter}
	if s.Dimension != alliance.Bond && s.Dimension != alliance.Tasks && s.Dimension != alliance.Goals {
		s.Dimension = alliance.Whole
	}
	if r := scale.Reliability; r != nil {
		s.SEM = r.SD * math.Sqrt(1-r.Value)
	}
	if scale.Cutoff != nil {
		s.Cutoff, s.HasCutoff = scale.Cutoff.Value, true
	}
	at := map[care.ID]float64{}
	for _, r := range c.responses {
		if !want(r) {
			continue
		}
		for _, x := range r.Content.Scores {
			if x.Scale == scale.ID && x.OK {
				at[r.Session] = x.Value
			}
		}
	}
	for _, x := range c.sessions {
		v, ok := at[x.ID]
		s.Points = append(s.Points, alliance.Point{Session: x.Number, AtMillis: x.AtMillis, Value: v, OK: ok})
	}
	return s
}

// tension gives the answers to the direct question, by session number.
func (c course) tension() (out []alliance.TensionPoint) {
	said := c.bySession()
	for _, s := range c.sessions {
		for _, r := range said[s.ID] {
			if r.Informant != care.ByClient {
				continue
			}
			if t := tensionOf(c.forms[formKey(r)], r.Content.Answers); t != "" {
				out = append(out, alliance.TensionPoint{Session: s.Number, Answer: t})
			}
		}
	}
	return out
}

func tensionOf(f *instrument.Instrument, answers instrument.Answers) alliance.TensionAnswer {
	for _, i := range f.Items {
		if !i.Tension {
			continue
		}
		switch v, state := f.Read(answers, i.ID); {
		case state == instrument.Declined:
			return alliance.TensionNotSaid
		case state != instrument.Given:
			return ""
		case v <= i.Min:
			return alliance.TensionNone
		case v >= i.Max:
			return alliance.TensionYes
		default:
			return alliance.TensionALittle
		}
	}
	return ""
}

// judge asks package alliance about the course as it is now.
func (c course) judge() alliance.Verdict {
	in := alliance.Course{Tension: c.tension()}
	for _, m := range c.measures(instrument.Alliance) {
		if !m.Earlier { // a course that has come to its end says nothing of now
			in.Series = append(in.Series, m.Client...)
		}
	}
	return c.rule.Judge(in)
}

// standing is the body of care.Standing: what a caseload shows of a course.
type standing struct {
	Rule       string           `json:"rule"` // which rule judged; another one means: judge again
	Verdict    alliance.Verdict `json:"verdict"`
	About      care.ID          `json:"about,omitempty"` // the session of the verdict
	Sessions   int              `json:"sessions"`
	LastMillis int64            `json:"last"`
	Missed     bool             `json:"missed"`
	NoShow     bool             `json:"no_show,omitempty"`  // nobody came to the session after one that is worth asking about
	Received   []int64          `json:"received,omitempty"` // for each session, when the client's or a carer's newest response came
	Spark      []*float64       `json:"spark,omitempty"`    // nil: not rated
	Fresh      care.ID          `json:"fresh,omitempty"`    // the newest session the client rated, when by a form of ours
	Guessed    []care.ID        `json:"guessed,omitempty"`  // who predicted it
}

func (c course) standing(predicts bool) standing {
	s := standing{Rule: c.rule.Key(), Verdict: c.judge(), Sessions: len(c.sessions)}
	for _, x := range c.sessions {
		if x.Number == s.Verdict.Session {
			s.About = x.ID
		}
	}
	byClient := func(session care.ID) bool {
		return slices.ContainsFunc(c.responses, func(r care.Response) bool { return r.Session == session && r.Informant == care.ByClient })
	}
	if n := len(c.sessions); n > 0 {
		last := c.sessions[n-1]
		s.LastMillis, s.Missed = last.AtMillis, !byClient(last.ID)
	}
	s.NoShow = c.noShow(s.Verdict)
	newest := map[care.ID]int64{}
	for _, r := range c.responses {
		if r.Informant != care.ByTherapist && r.Import == "" {
			newest[r.Session] = max(newest[r.Session], r.AnsweredMillis)
		}
	}
	s.Received = slices.Sorted(maps.Values(newest))
	if predicts {
		s.Fresh, s.Guessed = c.fresh()
	}
	for _, m := range c.measures(instrument.Alliance) {
		if len(m.Client) > 0 && m.Client[0].Informant == alliance.Client {
			s.Spark = spark(m.Client, m.Min, m.Max)
			break
		}
	}
	return s
}

// noShow says that a session was missed since the newest one, and that one, or the
// client's last word of it, is worth asking about: a signal of its own, whatever the
// scores are.
func (c course) noShow(v alliance.Verdict) bool {
	n := len(c.sessions)
	if n == 0 || !v.Asks() || v.Session != c.sessions[n-1].Number {
		return false
	}
	return slices.ContainsFunc(c.missed, func(s care.Session) bool { return s.AtMillis > c.sessions[n-1].AtMillis })
}

// fresh is the newest session that the client rated by one of our forms, and who
// has predicted it.
func (c course) fresh() (id care.ID, guessed []care.ID) {
	held, at := map[care.ID]int64{}, int64(math.MinInt64)
	for _, s := range c.sessions {
		held[s.ID] = s.AtMillis
	}
	for _, r := range c.responses {
		if r.Informant == care.ByClient && r.Import == "" && c.forms[formKey(r)].Kind == instrument.Alliance {
			if t, ok := held[r.Session]; ok && t >= at {
				id, at = r.Session, t
			}
		}
	}
	for _, r := range c.responses {
		if r.Session == id && c.forms[formKey(r)].Kind == instrument.Prediction {
			guessed = append(guessed, r.By)
		}
	}
	return id, guessed
}

// spark is the mean of a client's dimensions by session on 0-1.
func spark(series []alliance.Series, low, high float64) (out []*float64) {
	if len(series) == 0 || high <= low {
		return nil
	}
	for i := range series[0].Points {
		sum, n := 0.0, 0
		for _, s := range series {
			if i < len(s.Points) && s.Points[i].OK {
				sum, n = sum+(s.Points[i].Value-low)/(high-low), n+1
			}
		}
		if n == 0 {
			out = append(out, nil)
			continue
		}
		v := sum / float64(n)
		out = append(out, &v)
	}
	return out
}

// comments lists what people wrote, newest session first.
func (c course) comments() (out []Comment) {
	number := map[care.ID]int{}
	for _, s := range c.sessions {
		number[s.ID] = s.Number
	}
	for _, r := range c.responses {
		if r.Content.Comment != "" {
			out = append(out, Comment{Session: number[r.Session], AtMillis: r.AnsweredMillis, Informant: r.Informant, Text: r.Content.Comment})
		}
	}
	slices.SortStableFunc(out, func(x, y Comment) int {
		return cmp.Or(cmp.Compare(y.Session, x.Session), cmp.Compare(y.AtMillis, x.AtMillis))
	})
	return out
}
