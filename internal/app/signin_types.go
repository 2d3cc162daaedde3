// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"time"

	"github.com/entente-project/entente/internal/care"
)

// SetUp is what the first-run page asks for.
type SetUp struct {
	Code     string // printed by the server at the first start, so that only its operator can set it up
	Practice string
	Language string // "en" or "it"
	TimeZone string // IANA name, e.g. Europe/Rome
	Name     string
	Email    string
	Password string
	Device   string
	Consent  care.HoldersRule // whose consent is waited for before a minor is asked; "": nobody's
}

// Credentials are an e-mail address and a password, with the address they came
// from for throttling.
type Credentials struct {
	Email, Password, Address string
	Device                   string // what kind of device it is, for the list of sign-ins
}

// SignedIn is a new sign-in: the secret for the browser's cookie and its end.
type SignedIn struct {
	Token   string
	Expires time.Time
	Waits   bool // for a code: until ConfirmSignIn it opens nothing
}

// Me is who a browser's cookie stands for. While Kiosk is true the device is in
// a client's hands and nothing but the form and the unlocking page may be shown.
type Me struct {
	Actor    care.Actor
	Name     string
	Practice string
	TimeZone string
	Kiosk    bool
	Must     Must // before anything else; the actor then has no role
	UseDue   bool // UseSignIn is to be asked for, if this is somebody and not their browser

	SecondFromMillis int64 // from then on a second factor is demanded that they do not have; 0: not
}

// NewColleague is a member of staff to be invited.
type NewColleague struct {
	Name, Email, Language string
	Roles                 []care.Role
}

// Colleague is a line of the staff page.
type Colleague struct {
	ID     care.ID
	Name   string
	Email  string
	Roles  []care.Role
	Joined bool
	Ended  bool // the account was ended
	Second bool // has a second factor; told to managers only
}
