// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import _ "embed" // for Schema

// Schema is the JSON Schema (draft 2020-12) of an instrument file. It sees the
// shape of a file; what needs two places compared (IDs, languages, ranges of a
// scale) only Parse sees, so that a file which passes Schema may still be
// refused, and never the other way round.
//
//go:embed schema.json
var Schema string
