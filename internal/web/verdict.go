// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
	"slices"
	"strings"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/i18n"
)

// verdictView is a verdict in words: a state that is also a class of the
// stylesheet, the word that stands before the sentence, the sentence, and why.
type verdictView struct {
	State string // warm, calm, unread, little
	Word  string
	Text  string
	Why   []string // the figures, and last the rule
}

// verdictWords turns a verdict into sentences. when says how a session is called
// ("Tuesday"); decimals are those of the form.
func verdictWords(p *i18n.Printer, v alliance.Verdict, when func(session int) string) verdictView {
	out := verdictView{Word: p.T("verdict." + string(v.Kind) + ".word")}
	switch v.Kind {
	case alliance.WorthAsking:
		out.State = "warm"
		var texts []string
		for _, r := range v.Reasons {
			texts = append(texts, reasonWords(p, r, when))
			for _, w := range figureWords(p, r) {
				if !slices.Contains(out.Why, w) {
					out.Why = append(out.Why, w)
				}
			}
		}
		out.Text = strings.Join(texts, " ")
	case alliance.CannotBeRead:
		out.State = "unread"
		out.Text = p.T("verdict.cannot_be_read.text", "N", count(v))
	case alliance.NothingStandsOut:
		out.State = "calm"
		out.Text = p.T("verdict.nothing.text")
	default:
		out.State = "little"
		out.Text = p.N("verdict.too_little.text", count(v))
	}
	if v.Rule != "" {
		out.Why = append(out.Why, p.T("verdict.rule", "Rule", p.T("rule."+v.Rule), "Version", v.Version))
	}
	return out
}

// Figures are the numbers behind the sentence; they stand in sight below it.
func (v verdictView) Figures() []string { return v.Why[:max(0, len(v.Why)-1)] }

// How is the rule, for whoever asks.
func (v verdictView) How() []string { return v.Why[max(0, len(v.Why)-1):] }

// count is the number of rated sessions a verdict rests on.
func count(v alliance.Verdict) int {
	n := 0
	for _, r := range v.Reasons {
		n = max(n, r.Figures.N)
	}
	return n
}

func reasonWords(p *i18n.Printer, r alliance.Reason, when func(int) string) string {
	dim := p.T("dimension." + string(r.Dimension))
	switch r.Code {
	case alliance.Fell:
		return p.T("reason.fall."+string(r.Informant), "Dimension", dim, "From", p.Number(r.Figures.From, 1), "To", p.Number(r.Figures.To, 1), "Since", when(r.Figures.FromSession))
	case alliance.BelowCutoff:
		return p.T("reason.below_cutoff", "Dimension", dim, "To", p.Number(r.Figures.To, 1), "Cutoff", p.Number(r.Figures.Threshold, 1))
	case alliance.Tense:
		return p.T("reason.tension." + string(r.Tension))
	}
	return ""
}

func figureWords(p *i18n.Printer, r alliance.Reason) []string {
	if r.Code != alliance.Fell {
		return nil
	}
	f := r.Figures
	known := "why.error_default"
	if f.ErrorKnown {
		known = "why.error_known"
	}
	return []string{
		p.T("why.fall", "Dimension", p.T("dimension."+string(r.Dimension)), "Change", p.Number(math.Abs(f.Change), 1), "Threshold", p.Number(f.Threshold, 1),
			"Deviation", p.Number(math.Abs(f.Deviation), 1), "Mean", p.Number(f.Mean, 1)),
		p.T(known, "Threshold", p.Number(f.Threshold, 1)),
	}
}
