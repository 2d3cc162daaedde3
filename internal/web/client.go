// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// clientForm is a client, and an episode, as typed.
type clientForm struct {
	ID           care.ID // "" for a new client
	Label, Email string
	AgeBand      care.AgeBand
	Language     string
	Orientation  string
	Setting      care.Setting
	Chosen       map[string]bool // forms and colleagues
	Ages         []care.AgeBand
	Languages    []string
	Orientations []string
	Settings     []care.Setting
	Therapists   []app.Colleague
	Supervisors  []app.Colleague
	Forms        []formChoice
	Another      bool // a further episode was refused: show what was chosen
}

// formChoice is a form that can be asked after each session.
type formChoice struct {
	ID, Name string
	Ages     []instrument.AgeBand
}

// newClientForm gives the choices; typed is what was sent before.
func (c *call) newClientForm(typed url.Values) (clientForm, error) {
	f := clientForm{
		Label: typed.Get("label"), Email: typed.Get("email"), AgeBand: care.AgeBand(typed.Get("age_band")), Language: typed.Get("language"),
		Orientation: typed.Get("orientation"), Setting: care.Setting(typed.Get("setting")), Chosen: map[string]bool{},
		Ages: care.AgeBands(), Languages: app.Languages, Orientations: care.Orientations(), Settings: care.Settings(),
	}
	if f.Language == "" {
		f.Language = c.p.Lang()
	}
	if f.AgeBand == "" {
		f.AgeBand = care.Adult
	}
	for _, k := range []string{"forms", "therapists", "supervisors"} {
		for _, v := range typed[k] {
			f.Chosen[v] = true
		}
	}
	all, err := c.app().Staff(c.r.Context(), c.by)
	if err != nil {
		return f, err
	}
	for _, s := range all {
		if s.ID == c.by.Staff || s.Ended {
			continue
		}
		for _, r := range s.Roles {
			switch r {
			case care.Therapist:
				f.Therapists = append(f.Therapists, s)
			case care.Supervisor:
				f.Supervisors = append(f.Supervisors, s)
			}
		}
	}
	seen := map[string]bool{}
	for _, age := range care.AgeBands() {
		for _, i := range app.Instruments(age) {
			if !seen[i.ID] {
				seen[i.ID] = true
				f.Forms = append(f.Forms, formChoice{ID: i.ID, Name: i.Name.In(c.p.Lang()), Ages: i.Ages})
			}
		}
	}
	return f, nil
}

func newClientPage(c *call) error {
	if err := care.May(c.by, care.AddClients); err != nil {
		return err
	}
	f, err := c.newClientForm(nil)
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "clientnew", f)
}

func typedEpisode(typed url.Values) app.NewEpisode {
	ids := func(key string) (out []care.ID) {
		for _, v := range typed[key] {
			out = append(out, care.ID(v))
		}
		return out
	}
	return app.NewEpisode{Therapists: ids("therapists"), Supervisors: ids("supervisors"), Orientation: typed.Get("orientation"), Setting: care.Setting(typed.Get("setting")), Forms: typed["forms"]}
}

func addClient(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	id, err := c.app().AddClient(c.r.Context(), c.by, app.NewClient{Label: t.Get("label"), AgeBand: care.AgeBand(t.Get("age_band")), Language: t.Get("language"), Email: t.Get("email"), Episode: typedEpisode(t)})
	if err != nil {
		f, lookErr := c.newClientForm(t)
		if lookErr != nil {
			return lookErr
		}
		return c.again("clientnew", f, err)
	}
	return c.redirect("/clients/" + string(id))
}

func editClientPage(c *call) error {
	cl, err := c.app().Client(c.r.Context(), c.by, c.id())
	if err != nil {
		return err
	}
	f, err := c.newClientForm(nil)
	if err != nil {
		return err
	}
	f.ID, f.Label, f.Email, f.AgeBand, f.Language = cl.ID, cl.Label, cl.Email, cl.AgeBand, cl.Language
	return c.render(http.StatusOK, "clientedit", f)
}

func editClient(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	err := c.app().EditClient(c.r.Context(), c.by, care.Client{ID: c.id(), Label: t.Get("label"), AgeBand: care.AgeBand(t.Get("age_band")), Language: t.Get("language"), Email: t.Get("email")})
	if err != nil {
		f, lookErr := c.newClientForm(t)
		if lookErr != nil {
			return lookErr
		}
		f.ID = c.id()
		return c.again("clientedit", f, err)
	}
	return c.redirect("/clients/" + string(c.id()))
}

func openEpisode(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	if _, err := c.app().OpenEpisode(c.r.Context(), c.by, c.id(), typedEpisode(t)); err != nil {
		cl, lookErr := c.app().Client(c.r.Context(), c.by, c.id())
		if lookErr != nil {
			return lookErr
		}
		f, lookErr := c.newClientForm(t)
		if lookErr != nil {
			return lookErr
		}
		f.ID, f.Label, f.Email, f.AgeBand, f.Language, f.Another = cl.ID, cl.Label, cl.Email, cl.AgeBand, cl.Language, true
		return c.again("clientedit", f, err)
	}
	return c.redirect("/clients/" + string(c.id()))
}
