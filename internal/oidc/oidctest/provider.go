// SPDX-License-Identifier: AGPL-3.0-or-later

package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// What the provider knows of its one client.
const (
	ClientID = "entente"
	Secret   = "a client's secret" //nolint:gosec // of a provider that lives as long as a test
)

// Person is who signs in at the provider.
type Person struct {
	Subject, Email string
	Verified       any // bool, or what a provider that is careless writes
	AMR            []string
	ACR            string
}

// Provider is one that runs.
type Provider struct {
	Issuer string

	mu     sync.Mutex
	key    *ecdsa.PrivateKey
	now    func() time.Time
	person Person
	codes  map[string]url.Values // code to the request it was given for
	header map[string]any        // what a lie puts into the token
	claims map[string]any
	sign   func(signed string) []byte
	issOf  string // what the answer says it comes from
	down   bool
	counts map[string]int
}

// Start serves a provider until the test ends; now is its clock.
func Start(t *testing.T, now func() time.Time) *Provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{key: key, now: now, codes: map[string]url.Values{}, counts: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.counts[r.URL.Path]++
		if p.down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	p.Issuer, p.issOf = srv.URL, srv.URL
	return p
}

// SignIn says who signs in from now on.
func (p *Provider) SignIn(who Person) { p.set(func() { p.person = who }) }

// Down lets the provider answer nothing useful, or again.
func (p *Provider) Down(down bool) { p.set(func() { p.down = down }) }

// Claim puts a claim into the tokens from now on; nil removes it.
func (p *Provider) Claim(name string, value any) {
	p.set(func() { p.claims = map[string]any{name: value} })
}

// Honest ends every lie.
func (p *Provider) Honest() {
	p.set(func() { p.claims, p.header, p.sign, p.issOf = nil, nil, nil, p.Issuer })
}

// Unsigned lets the tokens carry the algorithm "none" and no signature.
func (p *Provider) Unsigned() {
	p.set(func() {
		p.header, p.sign = map[string]any{"alg": "none"}, func(string) []byte { return nil }
	})
}

// SignAs lets the tokens be signed with other bytes under another algorithm.
func (p *Provider) SignAs(alg string, sign func(signed string) []byte) {
	p.set(func() { p.header, p.sign = map[string]any{"alg": alg}, sign })
}

// ComesFrom lets the answer say that it comes from another issuer; "" says nothing.
func (p *Provider) ComesFrom(issuer string) { p.set(func() { p.issOf = issuer }) }

// Asked is how often a path was asked for.
func (p *Provider) Asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[path]
}

func (p *Provider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the test that asks sees what is missing
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token", "jwks_uri": p.Issuer + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
		"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
		"authorization_response_iss_parameter_supported": true,
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	point, err := p.key.PublicKey.Bytes()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "1", "x": code64(point[1:33]), "y": code64(point[33:])}}})
}

// authorize lets the person in without a question and sends them back.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name, want := range map[string]string{"client_id": ClientID, "response_type": "code", "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			http.Error(w, name, http.StatusBadRequest)
			return
		}
	}
	if q.Get("code_challenge") == "" || q.Get("state") == "" || q.Get("nonce") == "" || !slices.Contains([]string{"openid email"}, q.Get("scope")) {
		http.Error(w, "incomplete", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.codes[code] = q
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "redirect_uri", http.StatusBadRequest)
		return
	}
	out := url.Values{"code": {code}, "state": {q.Get("state")}}
	if p.issOf != "" {
		out.Set("iss", p.issOf)
	}
	back.RawQuery = out.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound) //nolint:gosec // a provider for tests sends back to whoever asked
}

// token exchanges a code once, for the client, address and verifier it was made for.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if err := r.ParseForm(); err != nil || id != ClientID || secret != url.QueryEscape(Secret) {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	asked, ok := p.codes[r.PostForm.Get("code")]
	delete(p.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !ok || asked.Get("redirect_uri") != r.PostForm.Get("redirect_uri") || asked.Get("code_challenge") != code64(sum[:]) || r.PostForm.Get("grant_type") != "authorization_code" {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	access := rand.Text()
	half := sha256.Sum256([]byte(access))
	now := p.now().Unix()
	claims := map[string]any{
		"iss": p.Issuer, "sub": p.person.Subject, "aud": ClientID, "iat": now, "exp": now + 300, "nonce": asked.Get("nonce"),
		"email": p.person.Email, "email_verified": p.person.Verified, "at_hash": code64(half[:16]),
	}
	if p.person.AMR != nil {
		claims["amr"] = p.person.AMR
	}
	if p.person.ACR != "" {
		claims["acr"] = p.person.ACR
	}
	maps.Copy(claims, p.claims)
	answer(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": p.jwt(claims)})
}

func (p *Provider) jwt(claims map[string]any) string {
	header := map[string]any{"alg": "ES256", "kid": "1", "typ": "JWT"}
	maps.Copy(header, p.header)
	signed := code64(encoded(header)) + "." + code64(encoded(claims))
	if p.sign != nil {
		return signed + "." + code64(p.sign(signed))
	}
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		return ""
	}
	return signed + "." + code64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func encoded(v map[string]any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a test's claim that is no JSON
	}
	return b
}

func code64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
