// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The least length of a password in characters (NIST SP 800-63B-4, 3.1.1.2).
const (
	// MinPasswordAlone holds where the password is the only factor.
	MinPasswordAlone = 15
	// MinPasswordSecondFactor holds where a second factor is always asked.
	MinPasswordSecondFactor = 8
)

// Why a new password is refused; the code is a key of the translations.
const (
	PasswordTooShort   = "password_too_short"  // Args: min, length
	PasswordTooLong    = "password_too_long"   // Args: max
	PasswordInvalid    = "password_invalid"    // not text, or control characters
	PasswordCommon     = "password_common"     // on the list of common ones, or made of words everybody tries
	PasswordRepetitive = "password_repetitive" // one short piece over and over
	PasswordSequential = "password_sequential" // a run of the alphabet, digits or keyboard
	PasswordNames      = "password_names"      // made of the practice's or person's names
)

// PasswordError tells why a new password is refused. It never holds the
// password.
type PasswordError struct {
	Code string
	Args map[string]string
}

// Error says in English what is wrong and what to do instead.
func (e *PasswordError) Error() string {
	switch e.Code {
	case PasswordTooShort:
		return "The password needs at least " + e.Args["min"] + " characters; four or five unrelated words are easy to remember."
	case PasswordTooLong:
		return "The password is longer than " + e.Args["max"] + " bytes; choose a shorter one."
	case PasswordInvalid:
		return "The password contains characters that cannot be typed again; use letters, digits, signs and spaces."
	case PasswordCommon:
		return "The password is among those that are tried first, or made of them; choose other words."
	case PasswordRepetitive:
		return "The password repeats one short piece; choose several different words."
	case PasswordSequential:
		return "The password is mostly a run of neighbouring letters, digits or keys; choose several different words."
	case PasswordNames:
		return "The password is made of your name or that of the practice; choose other words."
	}
	return "The password cannot be used (" + e.Code + ")."
}

// CheckPassword judges a new password that will be the only factor: at least
// 15 characters, at most 1,024 bytes, not on the list of common passwords nor
// made only of one or two of them, of common words, of repetitions, of runs, or
// of the given words (names of the practice and of the person, their address).
// There are no rules of composition. It returns nil or a [*PasswordError].
func CheckPassword(password string, words ...string) error {
	return CheckPasswordMin(MinPasswordAlone, password, words...)
}

// CheckPasswordMin is [CheckPassword] with another least length in characters,
// for [MinPasswordSecondFactor].
func CheckPasswordMin(least int, password string, words ...string) error {
	if len(password) > MaxPasswordBytes {
		return &PasswordError{Code: PasswordTooLong, Args: map[string]string{"max": strconv.Itoa(MaxPasswordBytes)}}
	}
	if !utf8.ValidString(password) {
		return &PasswordError{Code: PasswordInvalid}
	}
	p := norm.NFC.String(password)
	for _, c := range p {
		if unicode.IsControl(c) {
			return &PasswordError{Code: PasswordInvalid}
		}
	}
	if n := utf8.RuneCountInString(p); n < least {
		return &PasswordError{Code: PasswordTooShort, Args: map[string]string{
			"min": strconv.Itoa(least), "length": strconv.Itoa(n),
		}}
	}
	if code := weakness([]rune(strings.ToLower(p)), words); code != "" {
		return &PasswordError{Code: code}
	}
	return nil
}

// TooShortAlone reports whether a password that was taken beside a second factor
// is too short without one.
func TooShortAlone(password string) bool {
	return utf8.RuneCountInString(norm.NFC.String(password)) < MinPasswordAlone
}

const (
	leastUnit     = 8 // a shorter piece repeated to the whole length is repetitive
	leastDistinct = 5 // different characters
	leastRun      = 4 // neighbours that count as a run
	leastRest     = 5 // characters that must remain beside words, runs and repeats
	leastWord     = 3 // shorter context words match by chance
)

// weakness returns the code of what nearly the whole password consists of, or
// "". A common word inside a longer password is no reason to refuse it.
func weakness(p []rune, words []string) string {
	if distinct(p) < leastDistinct || period(p) < min(leastUnit, len(p)) {
		if isRun(p) {
			return PasswordSequential
		}
		return PasswordRepetitive
	}
	names := contextWords(words)
	covered := map[string]int{}
	rest, pieces := 0, 0
	for i := 0; i < len(p); {
		if n := longest(p[i:], names); n > 0 {
			covered[PasswordNames] += n
			i += n
		} else if n := longest(p[i:], commonWords); n > 0 {
			covered[PasswordCommon] += n
			i += n
		} else if n := runLength(p[i:]); n >= leastRun {
			covered[PasswordSequential] += n
			i += n
		} else if n := longestListed(p[i:]); n > 0 && pieces < mostListed {
			covered[PasswordCommon] += n
			pieces++
			i += n
		} else if n := repeatLength(p[i:]); n >= leastRun {
			covered[PasswordRepetitive] += n
			i += n
		} else {
			if unicode.IsLetter(p[i]) || unicode.IsDigit(p[i]) {
				rest++
			}
			i++
		}
	}
	worst := ""
	for _, code := range []string{PasswordNames, PasswordCommon, PasswordSequential, PasswordRepetitive} {
		if covered[code] > covered[worst] {
			worst = code
		}
	}
	switch {
	case rest < leastRest && worst != "":
		return worst
	case isListed(string(p)):
		return PasswordCommon
	}
	// Where nothing is recognised and hardly a letter or digit is there, a rich set
	// of signs is as good as letters.
	return ""
}

func distinct(p []rune) int {
	seen := map[rune]bool{}
	for _, c := range p {
		seen[c] = true
	}
	return len(seen)
}

// period is the length of the shortest piece that, repeated (the last time
// perhaps cut), gives p; len(p) if none is shorter.
func period(p []rune) int {
	for n := 1; n < len(p); n++ {
		same := true
		for i := n; i < len(p) && same; i++ {
			same = p[i] == p[i-n]
		}
		if same {
			return n
		}
	}
	return len(p)
}

func isRun(p []rune) bool { return len(p) > 1 && runLength(p) == len(p) }

var keyboardRows = [][]rune{
	[]rune("1234567890"), []rune("qwertyuiop"), []rune("asdfghjkl"), []rune("zxcvbnm"),
	[]rune("qwertzuiop"), []rune("azertyuiop"), []rune("1qaz2wsx3edc4rfv5tgb6yhn"),
}

// runLength counts how many leading characters rise or fall by one, or follow a
// row of keys either way.
func runLength(p []rune) int {
	best := 1
	for _, step := range []rune{1, -1} {
		n := 1
		for n < len(p) && p[n]-p[n-1] == step && (unicode.IsLetter(p[n]) || unicode.IsDigit(p[n])) {
			n++
		}
		best = max(best, n)
	}
	for _, row := range keyboardRows {
		for start := range row {
			for _, step := range []int{1, -1} {
				n := 0
				for at := start; n < len(p) && at >= 0 && at < len(row) && row[at] == p[n]; at += step {
					n++
				}
				best = max(best, n)
			}
		}
	}
	return best
}

func repeatLength(p []rune) int {
	n := 1
	for n < len(p) && p[n] == p[0] {
		n++
	}
	return n
}

// longest is the length of the longest word that p begins with, common
// replacements of letters undone.
func longest(p []rune, words []string) int {
	best := 0
	for _, w := range words {
		r := []rune(w)
		if len(r) <= best || len(r) > len(p) {
			continue
		}
		match := true
		for i := 0; i < len(r) && match; i++ {
			match = p[i] == r[i] || plain(p[i]) == r[i]
		}
		if match {
			best = len(r)
		}
	}
	return best
}

func plain(c rune) rune {
	switch c {
	case '0':
		return 'o'
	case '1', '!':
		return 'i'
	case '3':
		return 'e'
	case '4', '@':
		return 'a'
	case '5', '$':
		return 's'
	case '7':
		return 't'
	}
	return c
}

func contextWords(given []string) []string {
	var out []string
	for _, g := range given {
		parts := strings.FieldsFunc(strings.ToLower(norm.NFC.String(g)), func(c rune) bool {
			return !unicode.IsLetter(c) && !unicode.IsDigit(c)
		})
		for _, w := range parts {
			if utf8.RuneCountInString(w) >= leastWord {
				out = append(out, w)
			}
		}
	}
	return out
}

// commonWords are tried first by anyone who guesses, in the languages of the
// program and the words of its field. Parts of longer passwords may be such
// words; a whole password may not.
var commonWords = []string{
	"password", "passw", "passwort", "passphrase", "parola", "segreta", "secret", "login", "accesso",
	"admin", "administrator", "amministratore", "root", "user", "utente", "guest", "ospite", "test", "prova",
	"welcome", "benvenuto", "benvenuta", "letmein", "changeme", "cambiami", "default", "master", "superman",
	"batman", "dragon", "monkey", "sunshine", "princess", "football", "baseball", "iloveyou", "tiamo", "amore",
	"trustno", "shadow", "hello", "ciao", "buongiorno", "estate", "inverno", "primavera", "autunno",
	"summer", "winter", "spring", "autumn", "juventus", "napoli", "milano", "roma", "inter", "francesco",
	"andrea", "giuseppe", "alessandro", "giulia", "martina", "january", "gennaio", "december", "dicembre",
	"entente", "alliance", "alleanza", "therapy", "therapist", "terapia", "terapeuta", "psicologo", "psicologa",
	"psicologia", "psychology", "psychologist", "psicoterapia", "psychotherapy", "clinic", "clinica", "studio",
	"practice", "client", "cliente", "paziente", "patient", "bond", "legame", "goals", "obiettivi", "tasks",
	"correcthorsebatterystaple", "correct", "horse", "battery", "staple", "thequickbrownfox", "azerty", "abc", "xyz",
}
