// SPDX-License-Identifier: AGPL-3.0-or-later

package oidc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Config is one provider as the operator writes it down.
type Config struct {
	ID         string `yaml:"id"`          // short, in addresses: a to z, 0 to 9, dashes
	Name       string `yaml:"name"`        // what people read on the button
	Issuer     string `yaml:"issuer"`      // exactly as the provider says it
	ClientID   string `yaml:"client_id"`   // of this server at the provider
	SecretFile string `yaml:"secret_file"` // with the client's secret alone in it; none for a public client
	// Second says by which words of the provider a sign-in counts as one with two
	// factors. Without any it never does.
	Second struct {
		AMR []string `yaml:"amr"`
		ACR []string `yaml:"acr"` // these are asked for, too
	} `yaml:"second"`
	// AddressesVerified is for a provider that does not say email_verified because
	// it hands out the addresses itself.
	AddressesVerified bool `yaml:"addresses_verified"`

	secret string
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

// ReadConfig reads a file of providers; paths of secrets are relative to it.
func ReadConfig(file string) ([]Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("providers: %w", err)
	}
	var in struct {
		Providers []Config `yaml:"providers"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("providers: %s: %w", file, err)
	}
	seen := map[string]bool{}
	for i := range in.Providers {
		c := &in.Providers[i]
		if c.SecretFile != "" && !filepath.IsAbs(c.SecretFile) {
			c.SecretFile = filepath.Join(filepath.Dir(file), c.SecretFile)
		}
		if err := c.complete(); err != nil {
			return nil, fmt.Errorf("providers: %s, provider %d: %w", file, i+1, err)
		}
		if seen[c.ID] || seen[c.Issuer] {
			return nil, fmt.Errorf("providers: %s, provider %d: its id or issuer is there already", file, i+1)
		}
		seen[c.ID], seen[c.Issuer] = true, true
	}
	return in.Providers, nil
}

// Complete checks a configuration that stood in no file and reads its secret.
func Complete(c Config) (Config, error) {
	err := c.complete()
	return c, err
}

// complete checks a configuration and reads its secret.
func (c *Config) complete() error {
	switch {
	case !idForm.MatchString(c.ID):
		return fmt.Errorf("id %q: give a short word of a to z, 0 to 9 and dashes", c.ID)
	case strings.TrimSpace(c.Name) == "":
		return errors.New("name: say what people read on the button")
	case c.ClientID == "":
		return errors.New("client_id: give the one that the provider gave this server")
	}
	if err := protected(c.Issuer); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if c.SecretFile == "" {
		return nil
	}
	text, err := os.ReadFile(c.SecretFile)
	if err != nil {
		return fmt.Errorf("secret_file: %w", err)
	}
	if c.secret = strings.TrimSpace(string(text)); c.secret == "" {
		return fmt.Errorf("secret_file: %s is empty", c.SecretFile)
	}
	return nil
}

// protected refuses an address that others could listen to or stand in for:
// anything but https, except on this machine.
func protected(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("%q is not an address like https://accounts.example.org", address)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%q is not https", address)
}
