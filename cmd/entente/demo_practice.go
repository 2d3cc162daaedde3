// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
)

const demoCode = "demo"

// demoLinks are the two ways in that are printed.
type demoLinks struct{ therapist, form string }

// inventor lives an invented practice through its months, by the same use cases
// as a real one.
type inventor struct {
	ctx   context.Context
	a     *app.App
	clock *demoClock
	rnd   *rand.Rand
	today time.Time // start of the real day
	staff map[string]care.Actor
	links demoLinks
}

// invent fills an empty database with "Studio Aurora". Every person in it is
// made up.
func invent(ctx context.Context, a *app.App, clock *demoClock, lang string) (demoLinks, error) {
	links, err := past(ctx, a, clock, lang)
	if err != nil {
		return demoLinks{}, err
	}
	return enter(ctx, a, links)
}

// enter signs the therapist in.
func enter(ctx context.Context, a *app.App, links demoLinks) (demoLinks, error) {
	in, err := a.SignIn(ctx, app.Credentials{Email: demoStaff[0].email, Password: demoPassword, Address: "demo"})
	links.therapist = in.Token
	return links, err
}

// past makes the practice's eight months until now.
func past(ctx context.Context, a *app.App, clock *demoClock, lang string) (demoLinks, error) {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		zone = time.UTC
	}
	now := time.Now().In(zone)
	v := &inventor{ctx: ctx, a: a, clock: clock, rnd: rand.New(rand.NewPCG(1979, 36)), //nolint:gosec // reproducible, not secret
		today: time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone), staff: map[string]care.Actor{}}
	v.clock.set(v.today.AddDate(0, -8, 0))
	if err := v.people(lang); err != nil {
		return demoLinks{}, err
	}
	for i, p := range demoClients {
		if err := v.live(i, p); err != nil {
			return demoLinks{}, err
		}
	}
	v.clock.past.Store(nil)
	return v.links, nil
}

var demoPassword = auth.NewToken().Text()

var demoStaff = []struct {
	key, name, email string
	roles            []care.Role
}{
	{"neri", "Dr. Elena Neri", "neri@studio-aurora.example", []care.Role{care.Therapist, care.Manager}},
	{"costa", "Dr. Paolo Costa", "costa@studio-aurora.example", []care.Role{care.Therapist}},
	{"riva", "Dr. Giulia Riva", "riva@studio-aurora.example", []care.Role{care.Therapist}},
	{"longo", "Dr. Marta Longo", "longo@studio-aurora.example", []care.Role{care.Supervisor}},
}

func (v *inventor) people(lang string) error {
	for i, s := range demoStaff {
		var in app.SignedIn
		var err error
		if i == 0 {
			in, err = v.a.SetUpPractice(v.ctx, app.SetUp{Code: demoCode, Practice: "Studio Aurora", Language: lang, TimeZone: "Europe/Rome", Name: s.name, Email: s.email, Password: demoPassword})
		} else {
			var l app.Link
			if l, err = v.a.AddStaff(v.ctx, v.staff["neri"], app.NewColleague{Name: s.name, Email: s.email, Language: lang, Roles: s.roles}); err == nil {
				in, err = v.a.Join(v.ctx, l.Token, demoPassword, "")
			}
		}
		if err != nil {
			return err
		}
		me, err := v.a.Authenticate(v.ctx, in.Token)
		if err != nil {
			return err
		}
		v.staff[s.key] = me.Actor
	}
	return nil
}

// live takes one client from the first session to today.
func (v *inventor) live(i int, p demoClient) error {
	by := v.staff[p.therapist]
	first := v.today.AddDate(0, 0, -p.every*(p.sessions-1)-p.ago).Add(time.Duration(9*60+i*47%480) * time.Minute)
	v.clock.set(first.Add(-48 * time.Hour))
	in := app.NewClient{Label: p.label, AgeBand: p.age, Language: p.language, Email: p.email,
		Episode: app.NewEpisode{Orientation: p.orientation, Setting: p.setting}}
	if p.shared {
		in.Episode.Supervisors = []care.ID{v.staff["longo"].Staff}
	}
	id, err := v.a.AddClient(v.ctx, by, in)
	if err != nil {
		return err
	}
	page, err := v.a.ClientPage(v.ctx, by, id, "")
	if err != nil {
		return err
	}
	for n := 1; n <= p.sessions; n++ {
		at := first.AddDate(0, 0, p.every*(n-1))
		if n > p.gapAfter && p.gapAfter > 0 {
			at = at.AddDate(0, 0, -p.gapDays)
		}
		if p.gapAfter > 0 && n <= p.gapAfter {
			at = at.AddDate(0, 0, -2*p.gapDays)
		}
		v.clock.set(v.past(at, i))
		if err := v.session(p, by, page.Episode.ID, n); err != nil {
			return err
		}
	}
	if p.read { // somebody has looked at this course since
		v.clock.set(v.clock.now().Add(3 * time.Hour))
		_, err = v.a.ClientPage(v.ctx, by, id, "")
	}
	return err
}

// past is at, or some minutes ago if at is still to come: whoever starts the demo
// early in the day finds today's sessions over, and just after midnight finds them
// on this day all the same.
func (v *inventor) past(at time.Time, minutes int) time.Time {
	return latest(at, time.Now(), v.today, minutes)
}

func latest(at, now, today time.Time, minutes int) time.Time {
	last := now.Add(-time.Duration(minutes) * time.Minute)
	if earliest := today.Add(time.Duration(minutes) * time.Second); last.Before(earliest) && earliest.Before(now) {
		last = earliest
	}
	if at.After(last) {
		return last
	}
	return at
}

func (v *inventor) session(p demoClient, by care.Actor, episode care.ID, n int) error {
	last := n == p.sessions
	s, err := v.a.StartSession(v.ctx, by, episode)
	if err != nil {
		return err
	}
	if last && p.open { // today: the form waits for an answer
		l, err := v.a.Invite(v.ctx, by, s)
		if v.links.form == "" {
			v.links.form = l.Token
		}
		return err
	}
	v.clock.set(v.past(v.clock.now().Add(50*time.Minute), 0))
	if !p.missed[n] {
		if err := v.client(p, by, s, n); err != nil {
			return err
		}
	}
	if !last || !p.unguessed {
		if err := v.therapist(p, by, s, n); err != nil {
			return err
		}
	}
	if text := p.notes[n]; text != "" {
		return v.a.AddNote(v.ctx, by, s, text)
	}
	return nil
}

// client answers every form of the session by its link.
func (v *inventor) client(p demoClient, by care.Actor, s care.ID, n int) error {
	l, err := v.a.Invite(v.ctx, by, s)
	if err != nil {
		return err
	}
	visit, err := v.a.OpenInvitation(v.ctx, l.Token)
	if err != nil {
		return err
	}
	actor, err := v.a.Respondent(v.ctx, visit.Token)
	if err != nil {
		return err
	}
	for {
		f, err := v.a.NextForm(v.ctx, actor)
		var e *care.Error
		if errors.As(err, &e) && e.Key == "form.done" {
			return nil
		}
		if err != nil {
			return err
		}
		latent := p.felt(n)
		sub := app.Submission{ID: f.Submission, Instrument: f.Instrument.ID, Version: f.Instrument.Version, Language: f.Language}
		if f.Instrument.Kind == instrument.Outcome {
			sub.Answers = v.outcome(f.Instrument, p, n)
		} else {
			sub.Answers = v.answers(f.Instrument, latent, p.flat)
			sub.Comment = p.words[n]
			v.tension(f.Instrument, sub.Answers, p.strained[n])
		}
		if _, err := v.a.RecordRating(v.ctx, actor, sub); err != nil {
			return err
		}
	}
}

// therapist rates and predicts, somewhat higher and smoother than the client.
func (v *inventor) therapist(p demoClient, by care.Actor, s care.ID, n int) error {
	for _, kind := range []instrument.Kind{instrument.Alliance, instrument.Prediction} {
		f, err := v.a.OwnForm(v.ctx, by, s, kind)
		if err != nil {
			return err
		}
		now, before := p.felt(n), p.felt(max(1, n-1))
		var latent [3]float64
		for d := range latent {
			latent[d] = .4*now[d] + .6*before[d] + .03
		}
		sub := app.Submission{ID: f.Submission, Session: s, Instrument: f.Instrument.ID, Version: f.Instrument.Version, Language: f.Language, Answers: v.answers(f.Instrument, latent, false)}
		v.tension(f.Instrument, sub.Answers, 0)
		if _, err := v.a.RecordRating(v.ctx, by, sub); err != nil {
			return err
		}
	}
	return nil
}

// answers turns what is felt (bond, tasks, goals on 0-1) into answers.
func (v *inventor) answers(f *instrument.Instrument, felt [3]float64, flat bool) instrument.Answers {
	out := instrument.Answers{}
	for i, d := range []instrument.Dimension{instrument.Bond, instrument.Tasks, instrument.Goals} {
		for _, s := range f.Scales {
			if s.Dimension != d {
				continue
			}
			for _, id := range s.Items {
				item, _ := f.Item(id)
				x := felt[i] + .045*v.rnd.NormFloat64()
				if flat {
					x = 1
				}
				out[id] = math.Round(item.Min + min(1, max(0, x))*(item.Max-item.Min))
			}
		}
	}
	return out
}

func (v *inventor) tension(f *instrument.Instrument, a instrument.Answers, strain int) {
	for _, i := range f.Items {
		if i.Tension {
			a[i.ID] = min(i.Max, i.Min+float64(strain)*(i.Max-i.Min)/2)
		}
	}
}

func (v *inventor) outcome(f *instrument.Instrument, p demoClient, n int) instrument.Answers {
	out := instrument.Answers{}
	well := p.wellFrom + (p.wellTo-p.wellFrom)*math.Log(float64(n))/math.Log(float64(max(2, p.sessions)))
	for _, i := range f.Items {
		x := well + .06*v.rnd.NormFloat64()
		for _, s := range f.Scales {
			for _, r := range s.Reversed {
				if r == i.ID {
					x = 1 - x
				}
			}
		}
		out[i.ID] = math.Round(i.Min + min(1, max(0, x))*(i.Max-i.Min))
	}
	return out
}
