// SPDX-License-Identifier: AGPL-3.0-or-later

package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Provider is one of those that an operator named. It is asked for its addresses
// and keys when it is first needed, so that a server starts without it.
type Provider struct {
	cfg    Config
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex
	known *known
}

// known is what a provider said of itself.
type known struct {
	at       time.Time
	endpoint oauth2.Endpoint
	verifier *gooidc.IDTokenVerifier
	namesIss bool // it promises to say who it is when it sends somebody back
}

// Identity is who a provider says that somebody is.
type Identity struct {
	Issuer, Subject string
	Email           string // "" unless the provider vouches for it
	Second          bool   // by two factors, as the operator has said what counts
}

// Answer is what somebody brings back from a provider.
type Answer struct{ Code, Iss string }

// Begun is what one attempt was begun with: Verifier and Nonce are secrets of the
// browser that began it.
type Begun struct{ Redirect, State, Nonce, Verifier string }

const (
	patience   = 5 * time.Second  // for one answer of the provider
	knownFor   = time.Hour        // what it said of itself
	mostBytes  = 1 << 20          // of one answer
	mostAge    = 10 * time.Minute // of an ID token when it comes
	clockError = 5 * time.Minute
)

// ErrRefused tells that a provider's answer must not be believed; the chain says
// why. Every other error means that the provider could not be asked.
var ErrRefused = errors.New("oidc: the provider's answer was refused")

// algorithms are the signatures that are believed: none without a key pair.
var algorithms = []string{gooidc.RS256, gooidc.RS384, gooidc.RS512, gooidc.PS256, gooidc.PS384, gooidc.PS512, gooidc.ES256, gooidc.ES384, gooidc.ES512, gooidc.EdDSA}

// New prepares a provider; now is the clock by which its tokens expire.
func New(cfg Config, now func() time.Time) *Provider {
	return &Provider{cfg: cfg, now: now, client: &http.Client{
		Timeout:   patience,
		Transport: bounded{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("oidc: the provider's addresses lead elsewhere; they are not followed")
		},
	}}
}

// ID is the provider's short word in addresses.
func (p *Provider) ID() string { return p.cfg.ID }

// Name is what people read on its button.
func (p *Provider) Name() string { return p.cfg.Name }

// bounded cuts answers that are too long.
type bounded struct{ next http.RoundTripper }

type cut struct {
	io.Reader
	io.Closer
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := protected(r.URL.Scheme + "://" + r.URL.Host); err != nil {
		return nil, fmt.Errorf("oidc: the provider names an address that is not protected: %w", err)
	}
	a, err := b.next.RoundTrip(r)
	if err == nil {
		a.Body = cut{io.LimitReader(a.Body, mostBytes), a.Body}
	}
	return a, err
}

// ask is what the provider says of itself, asked again after an hour.
func (p *Provider) ask(ctx context.Context) (*known, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil && p.now().Sub(p.known.at) < knownFor {
		return p.known, nil
	}
	found, err := gooidc.NewProvider(gooidc.ClientContext(ctx, p.client), p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("oidc: %s cannot be asked: %w", p.cfg.ID, err)
	}
	var more struct {
		JWKS     string   `json:"jwks_uri"`
		Methods  []string `json:"token_endpoint_auth_methods_supported"`
		NamesIss bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, fmt.Errorf("oidc: %s cannot be asked: %w", p.cfg.ID, err)
	}
	k := &known{at: p.now(), endpoint: found.Endpoint(), namesIss: more.NamesIss}
	for _, address := range []string{k.endpoint.AuthURL, k.endpoint.TokenURL, more.JWKS} {
		if err := protected(address); err != nil {
			return nil, fmt.Errorf("oidc: %s names an address that cannot be used: %w", p.cfg.ID, err)
		}
	}
	k.endpoint.AuthStyle = oauth2.AuthStyleInHeader // what holds where nothing is said
	if len(more.Methods) > 0 && !slices.Contains(more.Methods, "client_secret_basic") {
		k.endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	// Its keys are fetched later than this request lasts.
	k.verifier = found.VerifierContext(gooidc.ClientContext(context.WithoutCancel(ctx), p.client),
		&gooidc.Config{ClientID: p.cfg.ClientID, SupportedSigningAlgs: algorithms, Now: p.now})
	p.known = k
	return k, nil
}

func (p *Provider) oauth(k *known, redirect string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: p.cfg.secret, Endpoint: k.endpoint, RedirectURL: redirect, Scopes: []string{gooidc.ScopeOpenID, "email"}}
}

// Address is where somebody is sent to sign in there.
func (p *Provider) Address(ctx context.Context, b Begun) (string, error) {
	k, err := p.ask(ctx)
	if err != nil {
		return "", err
	}
	opts := []oauth2.AuthCodeOption{gooidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier)}
	if len(p.cfg.Second.ACR) > 0 {
		opts = append(opts, oauth2.SetAuthURLParam("acr_values", strings.Join(p.cfg.Second.ACR, " ")))
	}
	return p.oauth(k, b.Redirect).AuthCodeURL(b.State, opts...), nil
}

// Identify exchanges the code that somebody brought back and says who they are.
// The attempt must have been begun in the same browser. Errors: ErrRefused, or
// that the provider cannot be asked.
func (p *Provider) Identify(ctx context.Context, b Begun, a Answer) (Identity, error) {
	k, err := p.ask(ctx)
	if err != nil {
		return Identity{}, err
	}
	// RFC 9207: an answer of another provider, brought to this one's address.
	if a.Iss != "" && a.Iss != p.cfg.Issuer || a.Iss == "" && k.namesIss {
		return Identity{}, fmt.Errorf("%w: it says that it comes from %q", ErrRefused, a.Iss)
	}
	token, err := p.oauth(k, b.Redirect).Exchange(gooidc.ClientContext(ctx, p.client), a.Code, oauth2.VerifierOption(b.Verifier))
	if err != nil {
		if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok && said.Response.StatusCode < http.StatusInternalServerError {
			return Identity{}, fmt.Errorf("%w: the code: %w", ErrRefused, err)
		}
		return Identity{}, fmt.Errorf("oidc: %s cannot be asked: %w", p.cfg.ID, err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Identity{}, fmt.Errorf("%w: no ID token", ErrRefused)
	}
	return p.believe(ctx, k, b, raw, token.AccessToken)
}

// believe checks an ID token (OpenID Connect Core 1.0, 3.1.3.7).
func (p *Provider) believe(ctx context.Context, k *known, b Begun, raw, access string) (id Identity, err error) {
	t, err := k.verifier.Verify(ctx, raw)
	if err != nil {
		return id, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	var claims struct {
		Party    string   `json:"azp"`
		Email    string   `json:"email"`
		Verified verified `json:"email_verified"`
		AMR      []string `json:"amr"`
		ACR      string   `json:"acr"`
	}
	if err := t.Claims(&claims); err != nil {
		return id, fmt.Errorf("%w: claims: %w", ErrRefused, err)
	}
	now := p.now()
	switch {
	case t.Issuer != p.cfg.Issuer:
		err = errors.New("another issuer")
	case b.Nonce == "" || subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(b.Nonce)) != 1:
		err = errors.New("another nonce")
	case claims.Party != "" && claims.Party != p.cfg.ClientID || claims.Party == "" && len(t.Audience) > 1:
		err = errors.New("made for another party")
	case t.IssuedAt.Before(now.Add(-mostAge)) || t.IssuedAt.After(now.Add(clockError)):
		err = fmt.Errorf("issued at %s", t.IssuedAt.UTC().Format(time.RFC3339))
	case t.Subject == "" || len(t.Subject) > 255:
		err = errors.New("no subject")
	case t.AccessTokenHash != "":
		err = t.VerifyAccessToken(access)
	}
	if err != nil {
		return id, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	id = Identity{Issuer: t.Issuer, Subject: t.Subject}
	if bool(claims.Verified) || p.cfg.AddressesVerified {
		id.Email = claims.Email
	}
	id.Second = slices.ContainsFunc(claims.AMR, func(s string) bool { return slices.Contains(p.cfg.Second.AMR, s) }) ||
		claims.ACR != "" && slices.Contains(p.cfg.Second.ACR, claims.ACR)
	return id, nil
}

// verified is a truth that some providers write as a text.
type verified bool

// UnmarshalJSON takes true and "true"; everything else is false.
func (v *verified) UnmarshalJSON(b []byte) error {
	*v = string(b) == "true" || string(b) == `"true"`
	return nil
}
