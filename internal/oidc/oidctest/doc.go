// SPDX-License-Identifier: AGPL-3.0-or-later

// Package oidctest is a small OpenID Connect provider for tests, over HTTP on
// this machine: discovery, keys, authorization with PKCE, tokens. It keeps to the
// standards unless a test tells it to lie. No program may import it. Start with
// [Start].
package oidctest
