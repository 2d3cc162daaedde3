// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"

	"github.com/entente-project/entente/stats/psych"
)

// sessions is `stats truthbias --dyad`: the model of many sessions of many dyads.
func (c *TruthBiasCommand) sessions(ctx context.Context, s *Streams) error {
	if c.Moderator != "" {
		return wrongUse("--moderator and --dyad exclude each other; for a moderator of sessions use stats lmm with --split")
	}
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		for flag, name := range map[string]string{"judgment": c.Judgment, "truth": c.Truth} {
			if _, err := t.numbers(flag, name); err != nil {
				return nil, err
			}
		}
		if _, err := t.column("dyad", c.Dyad); err != nil {
			return nil, err
		}
		if t, err = t.complete(c.Judgment, c.Truth, c.Dyad); err != nil {
			return nil, err
		}
		judgment, err := t.numbers("judgment", c.Judgment)
		if err != nil {
			return nil, err
		}
		truth, err := t.numbers("truth", c.Truth)
		if err != nil {
			return nil, err
		}
		dyad, err := t.labels("dyad", c.Dyad)
		if err != nil {
			return nil, err
		}
		r, err := psych.TruthBiasSessions(judgment, truth, dyad, c.Level)
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		return c.sessionsDocument(t, r), nil
	})
}

func (c *TruthBiasCommand) sessionsDocument(t *Table, r *psych.TruthBiasSessionsResult) *Document {
	d := &Document{Analysis: "truthbias", Source: t, Title: fmt.Sprintf("Truth and bias over sessions: %s judged by %s, %d sessions of %d dyads", c.Truth, c.Judgment, r.Sessions, r.Dyads)}
	objects, rows := psychObjects([]psych.Coefficient{r.DirectionalBias, r.Truth})
	rows[0][0], rows[1][0] = "directional bias", "truth force"
	var own []Object
	for _, e := range r.Model.Effects {
		for i, level := range e.Levels {
			own = append(own, Object{{"dyad", level}, {"bias", r.DirectionalBias.Estimate + e.Modes[i][0]}, {"truth", r.Truth.Estimate + e.Modes[i][1]}})
		}
	}
	state := r.Model.State
	d.Result = Object{{"sessions", r.Sessions}, {"dyads", r.Dyads}, {"directional_bias", r.DirectionalBias.Estimate}, {"truth", r.Truth.Estimate}, {"coefficients", objects},
		{"bias_sd", r.BiasSD}, {"truth_sd", r.TruthSD}, {"rho", r.Rho}, {"sigma", r.Sigma}, {"loglik", r.Model.LogLik}, {"converged", state.Converged}, {"singular", state.Singular}, {"by_dyad", own}}
	if !state.Converged {
		d.say("The fit did NOT converge: do not report it. %s", state.Note)
	}
	d.table("", psychHead(c.Level), rows)
	d.say("Judgments lie %s the truth by %s on average; where the truth of a session is one point higher than usual in its dyad, the judgment is %s higher. Both differ between dyads, with standard deviations %s and %s, correlation %s; residual %s.",
		aboveOrBelow(r.DirectionalBias.Estimate), short(max(r.DirectionalBias.Estimate, -r.DirectionalBias.Estimate)), short(r.Truth.Estimate), short(r.BiasSD), short(r.TruthSD), short(r.Rho), short(r.Sigma))
	for _, s := range state.Singular {
		d.say("On a boundary: %s", s)
	}
	d.say("What is expected of each dyad is in the JSON.")
	return d
}

// sessionsCode writes the same model for lme4.
func (c *TruthBiasCommand) sessionsCode() string {
	s := &script{}
	s.read(c.Source, "lmerTest")
	s.line("dat <- dat[complete.cases(dat[, %s]), ]", vector([]string{c.Judgment, c.Truth, c.Dyad}))
	s.line("centre <- ave(dat$%s, dat$%s)", named(c.Truth), named(c.Dyad))
	s.line("dat$judgment. <- dat$%s - centre; dat$truth. <- dat$%s - centre", named(c.Judgment), named(c.Truth))
	s.line("fit <- lmer(judgment. ~ truth. + (truth. | %s), data = dat)", named(c.Dyad))
	s.line("print(summary(fit))")
	return s.String()
}
