// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func code(err error) string {
	var e *PasswordError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	words := []string{"Studio Bianchi & Verdi", "Mariangela Rossini", "m.rossini@studiobv.example"}
	for _, c := range []struct{ password, want string }{
		{"quattro gatti sul tetto", ""},
		{"correct mule saddle lamp", ""}, // one common word among others
		{"paziente girasole lento", ""},
		{"vxq7 pt0m zzw2 lkd", ""},
		{"perché così più là", ""},
		{"日本語で長い合言葉を使うことにした", ""},
		{"aaaa bcqw eport nvx", ""},
		{strings.Repeat("many words and ", 4) + "end.", ""}, // 64 and more
		{"Rossini ama il risotto giallo", ""},
		{"", PasswordTooShort},
		{"fourteen chars", PasswordTooShort},
		{"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", PasswordTooShort}, // 8 characters, 16 code points
		{strings.Repeat("a b", 400), PasswordTooLong},
		{"bad \xff bytes in a password", PasswordInvalid},
		{"a tab\tin a long password", PasswordInvalid},
		{"aaaaaaaaaaaaaaaa", PasswordRepetitive},
		{"abcabcabcabcabcabc", PasswordRepetitive},
		{"girotGirotgirotgirot", PasswordRepetitive},
		{"ababababababababa", PasswordRepetitive},
		{"abcdefghijklmnopq", PasswordSequential},
		{"123456789012345", PasswordSequential},
		{"qwertyuiopasdfghjkl", PasswordSequential},
		{"zyxwvutsrqponmlk", PasswordSequential},
		{"1qaz2wsx3edc4rfv", PasswordSequential},
		{"passwordpassword1", PasswordCommon},
		{"P@ssw0rd-P4ssword!", PasswordCommon},
		{"Password12345678", PasswordCommon},
		{"correct horse battery staple", PasswordCommon},
		{"momsanaladventure", PasswordCommon}, // 15 and more, as it stands on the list
		{"PASSWORDPASSWORD1", PasswordCommon},
		{"butterfly-elephant", PasswordCommon},                         // two of the list
		{"Butterfly1984!!!", PasswordCommon},                           // one, with the usual tail
		{"butterfly elephant mountain cheese", ""},                     // a passphrase
		{strings.Repeat("\u00e9\u00f1\u6f22 ", 5), PasswordRepetitive}, // every character counts, none is asked for
		{"😀 gatti sul tetto 🙂", ""},
		{"Terapia Terapeuta 1", PasswordCommon},
		{"mariangela.rossini", PasswordNames},
		{"MariangelaRossini1", PasswordNames},
		{"Bianchi-Verdi-Rossini", PasswordNames},
		{"mariangelarossini1980", PasswordNames},
	} {
		err := CheckPassword(c.password, words...)
		if got := code(err); got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%q: %q, want %q", c.password, got, c.want)
		}
		if err != nil && len(c.password) > 3 && strings.Contains(err.Error(), c.password) {
			t.Errorf("%q: the error quotes the password", c.password)
		}
	}
}

func TestCheckPasswordWithSecondFactor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ password, want string }{
		{"gatto7kl", ""}, {"gatto7k", PasswordTooShort}, {"password", PasswordCommon},
		{"12345678", PasswordSequential}, {"abcabcab", PasswordRepetitive}, {"rossini8", PasswordNames},
	} {
		if got := code(CheckPasswordMin(MinPasswordSecondFactor, c.password, "Rossini")); got != c.want {
			t.Errorf("%q: %q, want %q", c.password, got, c.want)
		}
	}
}

// TestCommonList: what the list must be for its lookup, and what it costs.
func TestCommonList(t *testing.T) {
	t.Parallel()
	all := listed()
	if len(all) < 3000 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("%d entries, sorted %v", len(all), slices.IsSorted(all))
	}
	for _, p := range all {
		if len(p) < leastListed || len(p) > 24 && longestListed([]rune(p)) == 0 && !isListed(p) || p != strings.ToLower(p) {
			t.Errorf("%q cannot be found", p)
		}
		if CheckPasswordMin(MinPasswordSecondFactor, p) == nil || CheckPasswordMin(MinPasswordSecondFactor, strings.ToUpper(p)) == nil {
			t.Errorf("%q is taken", p)
		}
	}
	t.Logf("%d passwords, %d bytes in the program", len(all), len(packedCommon))
}

func TestPasswordSentences(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		PasswordTooShort, PasswordTooLong, PasswordInvalid, PasswordCommon,
		PasswordRepetitive, PasswordSequential, PasswordNames, "other",
	} {
		e := &PasswordError{Code: code, Args: map[string]string{"min": "15", "max": "1024"}}
		if s := e.Error(); !strings.HasPrefix(s, "The password ") || !strings.HasSuffix(s, ".") {
			t.Errorf("%s: %q", code, s)
		}
	}
	if s := CheckPassword("short").Error(); !strings.Contains(s, "15") {
		t.Errorf("%q does not tell the length", s)
	}
}

func TestCheckPasswordNeverPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p := rapid.String().Draw(r, "password")
		err := CheckPasswordMin(0, p, rapid.String().Draw(r, "word"))
		if err != nil && code(err) == "" {
			r.Fatalf("another error: %v", err)
		}
	})
}
