// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTokenTextRoundTrip(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		tok := NewToken()
		text := tok.Text()
		if len(text) != 26 || strings.Trim(text, "0123456789abcdefghjkmnpqrstvwxyz") != "" {
			t.Fatalf("a text of %d characters, or with other signs", len(text))
		}
		if seen[text] {
			t.Fatal("the same token twice")
		}
		seen[text] = true
		for _, typed := range []string{
			text, strings.ToUpper(text), " " + text + "\n", tok.Grouped(), strings.ToUpper(tok.Grouped()),
			strings.ReplaceAll(tok.Grouped(), "-", " "), strings.ReplaceAll(tok.Grouped(), "-", "\u2013"),
			strings.ReplaceAll(text, "0", "O"), strings.ReplaceAll(text, "1", "l"), strings.ReplaceAll(text, "1", "I"),
		} {
			got, err := ParseToken(typed)
			if err != nil || !got.Equal(tok) {
				t.Fatalf("a spelling was not read: %v", err)
			}
		}
	}
}

func TestParseTokenRefuses(t *testing.T) {
	t.Parallel()
	text := NewToken().Text()
	last := strings.IndexByte("0123456789abcdefghjkmnpqrstvwxyz", text[25])
	second := text[:25] + string("0123456789abcdefghjkmnpqrstvwxyz"[last|1]) // bits beyond the 128
	for name, bad := range map[string]string{
		"empty": "", "short": text[:25], "long": text + "0", "u": "u" + text[1:], "sign": "_" + text[1:],
		"accent": "è" + text[1:], "full width": "０" + text[1:], "second spelling": second,
		"huge": strings.Repeat(" ", maxTokenText) + text, "nul": text[:25] + "\x00",
	} {
		got, err := ParseToken(bad)
		if !errors.Is(err, ErrToken) || !got.IsZero() {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%s: the error quotes the text", name)
		}
	}
}

func TestTokenHash(t *testing.T) {
	t.Parallel()
	tok, err := ParseToken("00000000000000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseToken(tok.Text())
	if err != nil {
		t.Fatal(err)
	}
	if tok.Hash("session") == tok.Hash("invitation") || tok.Hash("a") == NewToken().Hash("a") || tok.Hash("a") != again.Hash("a") {
		t.Error("hashes are not one per token and domain")
	}
	// Stored hashes must stay valid from one release to the next.
	h := tok.Hash("session")
	if got := hex.EncodeToString(h[:]); got != "7e339e339583829b45fe22e73f191071ae1bbff106bfc85873cd6b2566709cf9" {
		t.Errorf("the hash of a token changed: %s", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("the zero token has a hash")
		}
	}()
	Token{}.Hash("session")
}

func TestZeroToken(t *testing.T) {
	t.Parallel()
	var z Token
	if z.Text() != "" || z.Grouped() != "" || !z.IsZero() || z.Equal(z) || z.Equal(NewToken()) || NewToken().IsZero() {
		t.Error("the zero token passes for a token")
	}
}

func TestTokensNeverPrint(t *testing.T) {
	t.Parallel()
	tok := NewToken()
	type holder struct {
		T     Token
		inner Token
		p     *Token
	}
	h := holder{T: tok, inner: tok, p: &tok}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%t", "%c", "%b"} {
		for _, x := range []any{tok, &tok, h, &h, []Token{tok}} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "t", tok, "p", &tok, "h", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "t", tok, "p", &tok, "h", h)
	for _, x := range []any{tok, &tok, h, map[string]Token{"t": tok}} {
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	b := tok.reveal()
	for _, form := range []string{
		tok.Text(), tok.Text()[:8], string(b[:]), hex.EncodeToString(b[:6]),
		strings.Trim(fmt.Sprint(b[:6]), "[]"), strings.Trim(fmt.Sprintf("%b", b[:6]), "[]"),
	} {
		if strings.Contains(out.String(), form) {
			t.Fatalf("a token was printed as %q", form)
		}
	}
	if !strings.Contains(out.String(), tokenRedacted) {
		t.Fatal("nothing was printed")
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("0123-4567-89abc-defg-hjkm-npqrs")
	f.Add("OIL")
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := ParseToken(s)
		if (err == nil) == tok.IsZero() {
			t.Fatal("error and token disagree")
		}
		if err == nil {
			if again, err := ParseToken(tok.Text()); err != nil || !again.Equal(tok) {
				t.Fatal("the text of a parsed token is another token")
			}
		}
	})
}

func TestOneTokenPerText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.StringMatching("[0-9a-hjkmnp-tv-z]{26}").Draw(r, "text")
		if tok, err := ParseToken(s); err == nil && tok.Text() != s {
			r.Fatalf("%s reads as %s", s, tok.Text())
		}
	})
}
