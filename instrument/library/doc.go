// SPDX-License-Identifier: AGPL-3.0-or-later

// Package library holds Entente's own forms, each a YAML file beside this one.
//
// The forms are written for Entente, in English and Italian, under CC BY 4.0,
// and none is validated yet; wherever they are shown they must say so. They
// must never hold, or come close to, an item of a published scale.
//
// A file is named id.vN.yaml, N being the version. A published file is not
// edited, because stored responses refer to it by id and version: a better
// wording is a new file with the next version.
//
// Start with session-client-adult.v1.yaml.
package library
