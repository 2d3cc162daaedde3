// SPDX-License-Identifier: AGPL-3.0-or-later

package passkey

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Site is where a passkey counts: the host's name, the origin of its pages, and
// what the browser calls it.
type Site struct{ Host, Origin, Name string }

// NewSite is the site of a base address such as https://entente.example.org.
// False where browsers make no passkeys: for a number in place of a name, and for
// plain HTTP but on the machine itself.
func NewSite(base, name string) (Site, bool) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return Site{}, false
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return Site{}, false
	}
	if u.Scheme != "https" && u.Hostname() != "localhost" {
		return Site{}, false
	}
	return Site{Host: u.Hostname(), Origin: u.Scheme + "://" + u.Host, Name: name}, true
}

// Person is whose passkey it is: ID, up to 64 bytes, tells nothing about them;
// Name and Display are shown by their device.
type Person struct {
	ID            string
	Name, Display string
}

// Credential is what is kept of a passkey; it holds nothing secret.
type Credential struct{ webauthn.Credential }

// ErrRefused is wrapped by every answer that must not be believed.
var ErrRefused = errors.New("passkey: refused")

type user struct {
	Person
	all []webauthn.Credential
}

func (u user) WebAuthnID() []byte                         { return []byte(u.ID) }
func (u user) WebAuthnName() string                       { return u.Person.Name }
func (u user) WebAuthnDisplayName() string                { return u.Display }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.all }

func (s Site) party() (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{
		RPID: s.Host, RPDisplayName: s.Name, RPOrigins: []string{s.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
}

func (s Site) registration(p Person, others []Credential, challenge string) (*protocol.CredentialCreation, *webauthn.SessionData, *webauthn.WebAuthn, error) {
	w, err := s.party()
	if err != nil {
		return nil, nil, nil, err
	}
	var known []protocol.CredentialDescriptor
	for _, c := range others {
		known = append(known, c.Descriptor())
	}
	options, session, err := w.BeginRegistration(user{Person: p}, webauthn.WithExclusions(known))
	if err != nil {
		return nil, nil, nil, err
	}
	options.Response.Challenge = protocol.URLEncodedBase64(challenge)
	session.Challenge = options.Response.Challenge.String()
	return options, session, w, nil
}

// Add is what the browser is asked, as JSON, so that a device makes a passkey that
// is none of the others.
func (s Site) Add(p Person, others []Credential, challenge string) ([]byte, error) {
	options, _, _, err := s.registration(p, others, challenge)
	if err != nil {
		return nil, err
	}
	return json.Marshal(options)
}

// Added checks the browser's answer to Add, and gives what is to be kept.
func (s Site) Added(p Person, challenge string, answer []byte) (Credential, error) {
	_, session, w, err := s.registration(p, nil, challenge)
	if err != nil {
		return Credential{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Credential{}, refused(err)
	}
	c, err := w.CreateCredential(user{Person: p}, *session, parsed)
	if err != nil {
		return Credential{}, refused(err)
	}
	// The statement names the make of the device: more than anybody needs to keep.
	c.Attestation = webauthn.CredentialAttestation{}
	return Credential{*c}, nil
}

func (s Site) login(challenge string) (*protocol.CredentialAssertion, *webauthn.SessionData, *webauthn.WebAuthn, error) {
	w, err := s.party()
	if err != nil {
		return nil, nil, nil, err
	}
	options, session, err := w.BeginDiscoverableLogin(webauthn.WithChallenge([]byte(challenge)))
	return options, session, w, err
}

// Show is what the browser is asked, as JSON, so that a device shows a passkey.
func (s Site) Show(challenge string) ([]byte, error) {
	options, _, _, err := s.login(challenge)
	if err != nil {
		return nil, err
	}
	return json.Marshal(options)
}

// Shown checks the browser's answer to Show against the passkey that it names, and
// gives what is to be kept from now on. A counter that has not gone on is refused:
// somebody may have copied the passkey.
func (s Site) Shown(p Person, c Credential, challenge string, answer []byte) (Credential, error) {
	_, session, w, err := s.login(challenge)
	if err != nil {
		return Credential{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Credential{}, refused(err)
	}
	find := func(_, handle []byte) (webauthn.User, error) {
		if string(handle) != p.ID {
			return nil, errors.New("the passkey says it is somebody else's")
		}
		return user{p, []webauthn.Credential{c.Credential}}, nil
	}
	_, found, err := w.ValidatePasskeyLogin(find, *session, parsed)
	if err != nil {
		return Credential{}, refused(err)
	}
	if found.Authenticator.CloneWarning {
		return Credential{}, fmt.Errorf("%w: the counter of the passkey went from %d to %d", ErrRefused, c.Authenticator.SignCount, parsed.Response.AuthenticatorData.Counter)
	}
	return Credential{*found}, nil
}

// refused keeps what the library found, which it has in a field of its own.
func refused(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%w: %s %s", ErrRefused, e.Details, e.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// Said is what an answer says of itself, before anything is believed: the
// challenge it answers, and the passkey it is of.
type Said struct {
	Challenge  string
	Credential []byte
}

// Read reads it. Errors: ErrRefused for what is no answer.
func Read(answer []byte) (Said, error) {
	var outer struct {
		RawID    string `json:"rawId"`
		Response struct {
			ClientData string `json:"clientDataJSON"`
		} `json:"response"`
	}
	var inner struct {
		Challenge string `json:"challenge"`
	}
	decode := base64.RawURLEncoding.DecodeString
	if err := json.Unmarshal(answer, &outer); err != nil {
		return Said{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	data, err := decode(outer.Response.ClientData)
	if err == nil {
		err = json.Unmarshal(data, &inner)
	}
	if err != nil {
		return Said{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	challenge, err := decode(inner.Challenge)
	if err != nil {
		return Said{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	id, err := decode(outer.RawID)
	if err != nil {
		return Said{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return Said{string(challenge), id}, nil
}
