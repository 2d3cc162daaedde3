// SPDX-License-Identifier: AGPL-3.0-or-later

// Package oidc speaks OpenID Connect with the providers that an operator named:
// it makes the address to which somebody is sent, and turns the code they come
// back with into who the provider says they are. It keeps nothing, knows no
// account, and must never let anybody in by itself; what an identity opens is
// decided in package app. Start with [Provider].
package oidc
