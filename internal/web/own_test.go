// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/i18n"
)

// ownOf are figures of the SDQ: all there, none, and each reason why one lacks.
func ownOf() app.OwnFigures {
	k, _ := library.Key("sdq")
	f := app.OwnFigures{Entry: entryOf("sdq"), Clients: 143, From: 1735689600000, Until: 1767225600000}
	nan := math.NaN()
	lacks := append(app.OwnLacks(), "", "")
	for i, s := range k.Form.Scales {
		x := app.OwnScale{Scale: s, Scored: 143, Mean: 12.34, SD: 4.56, Complete: 140, Alpha: nan, Low: nan, High: nan, Criterion: nan, Lacks: lacks[i]}
		if x.Lacks == "" {
			x.Alpha, x.Low, x.High, x.Criterion = .812, .76, .857, 5.48
		}
		if x.Lacks == app.TooFew {
			x.Scored, x.Mean, x.SD = 19, nan, nan
		}
		f.Scales = append(f.Scales, x)
	}
	return f
}

func ownSamples(c *call) []sample {
	return []sample{{"own", c.ownModel(ownOf()), nil}, {"own", c.ownModel(app.OwnFigures{Entry: entryOf("core-10")}), nil}}
}

// TestOwnPage: what cannot be said is a dash with its reason, and nothing is said
// of fewer clients than the least.
func TestOwnPage(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"en": "0.81 (0.76–0.86)", "it": "0,81 (0,76–0,86)"} {
		c := &call{p: i18n.For(lang)}
		v := c.ownModel(ownOf())
		if r := v.Rows[6]; r.Alpha != want || r.Change != c.p.Number(5.5, 1) || r.N != "143" {
			t.Errorf("%s: %+v", lang, r)
		}
		if r := v.Rows[0]; r.MeanSD != "" || r.Alpha != "" || r.Change != "" {
			t.Errorf("%s, too few: %+v", lang, r)
		}
		if len(v.Lacks) != len(app.OwnLacks()) || v.Lacks[0].Name != v.Rows[0].Name || !strings.Contains(v.Lacks[0].Value, "20") {
			t.Errorf("%s, reasons: %+v", lang, v.Lacks)
		}
		for _, l := range v.Lacks {
			if strings.Contains(l.Value, "own.lacks") {
				t.Errorf("%s: no reason for %s", lang, l.Name)
			}
		}
		if none := c.ownModel(app.OwnFigures{Entry: entryOf("core-10")}); none.Lead != c.p.T("own.nobody") {
			t.Errorf("%s: %q", lang, none.Lead)
		}
	}
}
