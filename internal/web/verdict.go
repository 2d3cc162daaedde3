// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
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
	// Figures stand in sight below the sentence; How is for whoever asks: the rule,
	// what it foresaw, how often it is wrong, what it cannot see.
	Figures, How []string
}

// verdictWords turns a verdict into sentences. when says how a session is called
// ("Tuesday"); decimals are those of the form.
func verdictWords(p *i18n.Printer, v alliance.Verdict, when func(session int) string) verdictView {
	out := verdictView{Word: p.T("verdict." + string(v.Kind) + ".word")}
	switch v.Kind {
	case alliance.WorthAsking, alliance.WorthAskingNow:
		out.State = "warm"
		var texts []string
		for _, r := range v.Reasons {
			texts = append(texts, reasonWords(p, r, when))
		}
		for _, w := range v.Weighed {
			if w.Fallen {
				out.Figures = append(out.Figures, weighedWords(p, w), p.T("why.chance", "Dimension", p.T("dimension."+string(w.Dimension)), "Margin", p.Number(w.Margin, 1), "Percent", percent(p, w.Probability)))
			}
		}
		out.Text = strings.Join(texts, " ")
	case alliance.CannotBeRead:
		out.State = "unread"
		out.Text = p.T("verdict.cannot_be_read.text", "N", count(v))
	case alliance.NothingStandsOut:
		out.State = "calm"
		out.Text = p.T("verdict.nothing.text")
		for _, w := range v.Weighed {
			if w.Lower {
				out.Text = p.T("verdict.nothing.lower", "Dimension", p.T("dimension."+string(w.Dimension)))
				out.Figures = append(out.Figures, weighedWords(p, w))
			}
		}
	default:
		out.State = "little"
		out.Text = p.N("verdict.too_little.text", count(v))
	}
	out.How = ruleWords(p, v)
	return out
}

// ruleWords are how the verdict came about.
func ruleWords(p *i18n.Printer, v alliance.Verdict) (out []string) {
	if v.Rule == "" {
		return nil
	}
	out = append(out, p.T("verdict.rule", "Rule", p.T("rule."+v.Rule), "Version", v.Version)+" "+p.T("rule."+v.Rule+".how"))
	for _, w := range v.Weighed {
		if !w.Fallen {
			out = append(out, weighedWords(p, w))
		}
		out = append(out, p.T("why.odds", "Dimension", p.T("dimension."+string(w.Dimension)), "Odds", p.Number(math.Exp(w.Odds), 1), "Limit", p.Number(math.Exp(w.Limit), 1)))
	}
	if n := len(v.Weighed); n > 0 {
		w := v.Weighed[0]
		out = append(out, p.T("why.false", "N", w.N, "Asking", percent(p, w.FalseAlarms), "Now", percent(p, w.FalseAlarmsNow)))
	}
	if v.Rule != alliance.WeighingName && v.FalseAlarms > 0 {
		out = append(out, p.T("why.false_rule", "Asking", percent(p, v.FalseAlarms)))
	}
	return append(out, p.T("rule.blind"))
}

// weighedWords say what came and what was to be expected.
func weighedWords(p *i18n.Printer, w alliance.Weighed) string {
	key := "why.weighed"
	if w.Informant == alliance.Carer {
		key = "why.weighed.carer"
	}
	return p.T(key, "Dimension", p.T("dimension."+string(w.Dimension)), "Value", p.Number(w.Value, 1), "Low", p.Number(w.Low, 1), "High", p.Number(w.High, 1))
}

// percent is a share in whole percents, and never a certainty.
func percent(p *i18n.Printer, share float64) string {
	switch v := math.Round(share * 100); {
	case v < 1:
		return p.T("why.below", "N", 1)
	case v > 99:
		return p.T("why.above", "N", 99)
	default:
		return p.Number(v, 0)
	}
}

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
		if r.Back {
			return p.T("reason.back."+string(r.Informant), "Dimension", dim, "From", p.Number(r.Figures.From, 1), "To", p.Number(r.Figures.To, 1))
		}
		if r.Figures.FromSession == 0 {
			return p.T("reason.below_own."+string(r.Informant), "Dimension", dim, "From", p.Number(r.Figures.From, 1), "To", p.Number(r.Figures.To, 1))
		}
		return p.T("reason.fall."+string(r.Informant), "Dimension", dim, "From", p.Number(r.Figures.From, 1), "To", p.Number(r.Figures.To, 1), "Since", when(r.Figures.FromSession))
	case alliance.BelowCutoff:
		return p.T("reason.below_cutoff", "Dimension", dim, "To", p.Number(r.Figures.To, 1), "Cutoff", p.Number(r.Figures.Threshold, 1))
	case alliance.Tense:
		return p.T("reason.tension." + string(r.Tension))
	}
	return ""
}
