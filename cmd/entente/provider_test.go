// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/oidc/oidctest"
)

var bossAtFar = oidctest.Person{Subject: "248289761001", Email: "boss@example.org", Verified: true}

// newDoorWith is a practice whose staff may come in by a provider.
func newDoorWith(t *testing.T) (*door, *oidctest.Provider) {
	t.Helper()
	var d *door
	now := time.Now()
	clock := func() time.Time {
		if d == nil {
			return now
		}
		return d.clock()
	}
	far := oidctest.Start(t, clock)
	far.SignIn(bossAtFar)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(oidctest.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	f := providerFlags{OIDCIssuer: far.Issuer, OIDCClient: oidctest.ClientID, OIDCSecret: secret, OIDCName: "Far & Away"}
	all := must[[]app.Provider](t)(f.providers(clock))
	d = newDoor(t, func(c *app.Config) { c.Providers = all })
	return d, far
}

var refreshes = regexp.MustCompile(`^0;url=(.+)$`)

// onward is where a page leads on to by itself.
func onward(t *testing.T, r answer) string {
	t.Helper()
	m := refreshes.FindStringSubmatch(r.header.Get("Refresh"))
	if r.status != http.StatusOK || m == nil {
		t.Fatalf("%d leads nowhere: %s", r.status, r.body)
	}
	return m[1]
}

// away goes to the provider and gives the path with which it sends back.
func (v visitor) away(address string) string {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // nothing is read
	to, ok := strings.CutPrefix(r.Header.Get("Location"), v.base)
	if !ok {
		v.t.Fatalf("the provider sends to %d %q", r.StatusCode, r.Header.Get("Location"))
	}
	return to
}

const withFar = "/signin/with/oidc"

func linkBoss(t *testing.T, d *door) {
	t.Helper()
	v := d.enter(t, "boss")
	if r := v.post("/account/with/oidc", url.Values{"old": {"wrong"}}); r.status != http.StatusUnprocessableEntity {
		t.Fatalf("linked without the password: %d", r.status)
	}
	back := v.away(onward(t, v.post("/account/with/oidc", url.Values{"old": {demoPassword}})))
	if to := onward(t, v.get(back)); to != "/account?done=linked" {
		t.Fatalf("linking leads to %s", to)
	}
	if r := v.get("/account"); !strings.Contains(r.body, "Far &amp; Away") || !strings.Contains(r.body, "boss@example.org") {
		t.Error("the account does not show it")
	}
	<-d.office.got
}

// TestProviderPages: linking, coming in, and each way in which it must not work,
// with a provider that speaks the protocol in earnest.
func TestProviderPages(t *testing.T) {
	t.Parallel()
	d, far := newDoorWith(t)
	v := d.visitor(t)
	if r := v.get("/signin"); !strings.Contains(r.body, "Sign in with Far &amp; Away") {
		t.Error("no button")
	}
	address := onward(t, v.post(withFar, nil))
	q := must[*url.URL](t)(url.Parse(address)).Query()
	for name, want := range map[string]string{"redirect_uri": d.base + withFar + "/back", "response_type": "code", "code_challenge_method": "S256", "scope": "openid email"} {
		if q.Get(name) != want {
			t.Errorf("%s is %q", name, q.Get(name))
		}
	}
	if r := v.get(v.away(address)); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Nobody here has linked") || !strings.Contains(r.body, `name="password"`) {
		t.Errorf("not linked yet: %d", r.status)
	}
	linkBoss(t, d)
	back := v.away(onward(t, v.post(withFar, nil)))
	if to := onward(t, v.get(back)); to != "/today" {
		t.Errorf("leads to %s", to)
	}
	if r := v.get("/today"); r.status != http.StatusOK {
		t.Errorf("not in: %d", r.status)
	}
	outside := d.visitor(t)
	in := func(what, path, want string) {
		t.Helper()
		if r := outside.get(path); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d", what, r.status)
		}
		if r := outside.get("/today"); r.location != "/signin" {
			t.Fatalf("%s: somebody is in", what)
		}
	}
	in("an address that was used", back, "Please try once more")
	in("in a browser that began nothing", v.away(onward(t, v.post(withFar, nil))), "Please try once more")
	mine := outside.away(onward(t, outside.post(withFar, nil)))
	stolen := must[*url.URL](t)(url.Parse(v.away(onward(t, v.post(withFar, nil))))).Query().Get("code")
	in("a code put in", regexp.MustCompile(`code=[A-Z0-9]+`).ReplaceAllString(mine, "code="+stolen), "You were not let in there")
	for what, lie := range map[string]func(){
		"another nonce": func() { far.Claim("nonce", "x") }, "another audience": func() { far.Claim("aud", "x") }, "another issuer": func() { far.Claim("iss", "https://x.example.org") },
		"expired": func() { far.Claim("exp", d.clock().Add(-time.Minute).Unix()) }, "alg none": far.Unsigned, "from another provider": func() { far.ComesFrom("https://x.example.org") },
	} {
		lie()
		in(what, outside.away(onward(t, outside.post(withFar, nil))), "You were not let in there")
		far.Honest()
	}
	far.SignIn(oidctest.Person{Subject: "another", Email: "boss@example.org", Verified: true})
	in("the same address, another subject", outside.away(onward(t, outside.post(withFar, nil))), "Nobody here has linked")
	far.SignIn(oidctest.Person{Subject: bossAtFar.Subject, Email: "boss@example.org", Verified: false})
	in("an address nobody vouches for", outside.away(onward(t, outside.post(withFar, nil))), "does not vouch")
	if r := outside.get("/signin/with/oidc/back?error=access_denied&state=x"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("denied there: %d", r.status)
	}
	if text := d.log.String(); !strings.Contains(text, "another nonce") || strings.Contains(text, bossAtFar.Subject) || strings.Contains(text, "code=") {
		t.Errorf("the log tells %s", text)
	}
}

// TestProviderAway: without its provider a practice works, by password.
func TestProviderAway(t *testing.T) {
	t.Parallel()
	d, far := newDoorWith(t)
	far.Down(true)
	v := d.visitor(t)
	r := v.post(withFar, nil)
	if r.status != http.StatusServiceUnavailable || !strings.Contains(r.body, "Sign in with your password.") || !strings.Contains(r.body, `name="password"`) || r.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.status, r.body)
	}
	d.enter(t, "boss")
	far.Down(false)
	linkBoss(t, d)
	back := v.away(onward(t, v.post(withFar, nil)))
	far.Down(true)
	if r := v.get(back); r.status != http.StatusServiceUnavailable {
		t.Errorf("down while somebody is there: %d", r.status)
	}
}

// TestProviderJourney: in a browser, the button, the provider and back, past what
// the policy forbids and the cookies that other sites do not get; with a code.
func TestProviderJourney(t *testing.T) {
	t.Parallel()
	d, _ := newDoorWith(t)
	linkBoss(t, d)
	b := newBrowser(t)
	b.look(390, false)
	b.open(d.base + "/signin")
	b.click("form[action='/signin/with/oidc'] button")
	b.until("location.pathname === '/today'")
	secret := "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	must[[]string](t)(d.app.AddSecond(t.Context(), d.boss, secret, must[string](t)(totp.GenerateCode(secret, d.clock())), demoPassword))
	d.later(time.Minute)
	b.click("form[action='/signout'] button")
	b.until("document.querySelector(\"form[action='/signin/with/oidc'] button\")")
	b.click("form[action='/signin/with/oidc'] button")
	b.until("location.pathname === '/signin/code' && document.querySelector('main button.main')")
	b.put("code", must[string](t)(totp.GenerateCode(secret, d.clock())))
	b.click("main button.main")
	b.until("location.pathname === '/today'")
}
