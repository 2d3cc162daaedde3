// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// Practice is the organisation that owns the data.
type Practice struct {
	ID            ID
	Name          string
	Language      string // BCP 47: "en" or "it"
	TimeZone      string // IANA name
	CreatedMillis int64
	Rules         SignInRules
}

// Staff is a member of a practice.
type Staff struct {
	ID            ID
	Practice      ID
	Name          string
	Email         string
	Language      string
	Roles         []Role
	PasswordHash  string // empty until the person has joined
	CreatedMillis int64
	EndedMillis   int64 // 0: the account goes on
}

// SignIn is one browser in which a member of staff is signed in.
type SignIn struct {
	ID            ID
	Practice      ID
	Staff         ID
	TokenHash     []byte
	CreatedMillis int64
	ExpiresMillis int64
	IdleMillis    int64  // it ends then, unless it is used before
	KioskPINHash  string // set while the device is handed to a client
	PINFailures   int    // wrong PINs, or wrong codes while it waits
	Device        string // what kind it is, such as "iPhone"; "" when not known
	Proof         Proof
	Waits         bool // for the second factor: until then it opens nothing
}

// Second is what proves a member of staff a second time.
type Second struct {
	Secret   string   `json:"secret"` // of the time-based codes, base32
	LastStep int64    `json:"step"`   // the last half minute a code was taken from: none counts twice
	Recovery [][]byte `json:"codes"`  // hashes of the codes for a lost device, each once
}

// Join is a one-time invitation of a colleague to choose a password.
type Join struct {
	Practice      ID
	Staff         ID
	TokenHash     []byte
	ExpiresMillis int64
}
