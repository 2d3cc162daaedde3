// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/oidc"
)

// providerFlags say by which outside providers staff may sign in: one by flags or
// the environment, any number by a file.
type providerFlags struct {
	Providers  string `help:"YAML file of OpenID Connect providers by which staff may sign in as well." type:"existingfile"`
	OIDCIssuer string `name:"oidc-issuer" help:"Or one provider by flags: its issuer, such as https://accounts.example.org."`
	OIDCClient string `name:"oidc-client-id" help:"This server's client id there."`
	OIDCSecret string `name:"oidc-secret-file" help:"File with the client's secret alone in it." type:"existingfile"`
	OIDCName   string `name:"oidc-name" help:"What people read on the button."`
}

// providers reads what the flags say. None is asked for anything yet.
func (f providerFlags) providers(now func() time.Time) (out []app.Provider, err error) {
	var all []oidc.Config
	if f.Providers != "" {
		if all, err = oidc.ReadConfig(f.Providers); err != nil {
			return nil, fmt.Errorf("--providers: %w", err)
		}
	}
	if f.OIDCIssuer != "" {
		c := oidc.Config{ID: "oidc", Name: f.OIDCName, Issuer: f.OIDCIssuer, ClientID: f.OIDCClient, SecretFile: f.OIDCSecret}
		if c, err = oidc.Complete(c); err != nil {
			return nil, fmt.Errorf("--oidc-...: %w", err)
		}
		all = append(all, c)
	}
	ids := map[string]bool{}
	for _, c := range all {
		if ids[c.ID] {
			return nil, fmt.Errorf("--providers: %q is there twice", c.ID)
		}
		ids[c.ID] = true
		out = append(out, byOIDC{oidc.New(c, now)})
	}
	return out, nil
}

// byOIDC is a provider in the words of the app.
type byOIDC struct{ *oidc.Provider }

// Address is where somebody is sent.
func (o byOIDC) Address(ctx context.Context, b app.ProviderBegun) (string, error) {
	address, err := o.Provider.Address(ctx, oidc.Begun(b))
	return address, inWords(err)
}

// Identify says who somebody is who came back.
func (o byOIDC) Identify(ctx context.Context, b app.ProviderBegun, code, iss string) (app.ProviderIdentity, error) {
	id, err := o.Provider.Identify(ctx, oidc.Begun(b), oidc.Answer{Code: code, Iss: iss})
	return app.ProviderIdentity(id), inWords(err)
}

func inWords(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, oidc.ErrRefused):
		return &care.Error{Code: care.Invalid, Key: "with.refused", Err: err}
	}
	return &care.Error{Code: care.Unavailable, Key: "with.away", Err: err}
}
