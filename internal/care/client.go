// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// AgeBand is the age group that decides which forms fit a client.
type AgeBand string

// The age bands: child 6-12, adolescent 13-17, adult from 18.
const (
	Child      AgeBand = "child"
	Adolescent AgeBand = "adolescent"
	Adult      AgeBand = "adult"
)

// AgeBands lists the bands in the order of age.
func AgeBands() []AgeBand { return []AgeBand{Child, Adolescent, Adult} }

// Client is a person in therapy. Label is a name, initials or a code: whatever
// the practice chose to call the person.
type Client struct {
	ID            ID
	Practice      ID
	Label         string
	AgeBand       AgeBand
	Language      string
	Email         string // empty: never mailed
	Reference     string // the name of this person in another system; matched at import
	CreatedMillis int64
}

// Setting is where and with whom an episode takes place.
type Setting string

// The settings.
const (
	Individual Setting = "individual"
	Online     Setting = "online"
	Couple     Setting = "couple"
	Family     Setting = "family"
	Group      Setting = "group"
)

// Settings lists the settings in the order pages show them.
func Settings() []Setting { return []Setting{Individual, Online, Couple, Family, Group} }

// Orientations are the schools or methods an episode can name: an attribute,
// never a condition.
func Orientations() []string {
	return []string{"unspecified", "cognitive_behavioural", "psychodynamic", "systemic", "humanistic", "integrative", "other"}
}

// Episode is one course of therapy, from first contact to ending.
type Episode struct {
	ID            ID
	Practice      ID
	Clients       []ID
	Therapists    []ID
	Supervisors   []ID
	Orientation   string
	Setting       Setting
	Forms         []string          // instrument ids asked after each session
	Rhythms       map[string]Rhythm // of those asked at fewer sessions; nil: none
	OpenedOn      string            // calendar date, YYYY-MM-DD
	ClosedOn      string            // empty while open
	CreatedMillis int64
}

// EpisodeClient is one client's part in an episode.
type EpisodeClient struct{ Episode, Client ID }
