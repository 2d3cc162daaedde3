// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"errors"
	"fmt"
	"math"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/lmm"
)

// TruthBiasSessionsResult is the truth-and-bias model of many sessions of many
// dyads. Coefficients are tested with Satterthwaite's degrees of freedom.
type TruthBiasSessionsResult struct {
	// DirectionalBias is how much higher judgments are than the truth, on
	// average over dyads; Truth is how far a judgment follows the changes of the
	// truth from session to session within a dyad (temporal congruence).
	DirectionalBias, Truth Coefficient
	// BiasSD and TruthSD are the standard deviations of both between dyads, Rho
	// their correlation, Sigma that of the residuals.
	BiasSD, TruthSD, Rho, Sigma float64
	Dyads, Sessions             int
	Omitted                     int // sessions left out because a value is missing
	// Model is the mixed model behind it: its State says how far to trust it, its
	// Effects hold each dyad's own bias and truth.
	Model *lmm.Model
}

// Names of the columns that the mixed model is fitted to.
const (
	judgmentColumn = "judgment"
	truthColumn    = "truth"
	dyadColumn     = "dyad"
)

// TruthBiasSessions fits, with NaN as a missing value and dyad naming each row's,
//
//	J[ti] - mean(T[i]) = b0[i] + b1[i] (T[ti] - mean(T[i])) + e[ti],
//
// where J is the judgment and T the truth of dyad i in session t, b0 and b1 vary
// between dyads, and means are over the sessions of a dyad with both values. It
// is fitted by REML and needs two dyads, and a truth that varies within some.
// Where the variance of a slope is nought Model.State names it.
//
// Source: West & Kenny (2011), Psychological Review 118, p. 373; Atzil-Slonim et
// al. (2015), Psychotherapy 52, for alliance ratings of client and therapist.
func TruthBiasSessions(judgment, truth []float64, dyad []string, level float64) (*TruthBiasSessionsResult, error) {
	if len(judgment) != len(truth) || len(truth) != len(dyad) {
		panic("psych: judgments, truths and dyads are not of one length")
	}
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	rows, err := centredOnTruth(judgment, truth, dyad)
	if err != nil {
		return nil, err
	}
	m, err := lmm.Fit("judgment ~ truth + (truth | dyad)", rows.frame, nil)
	if err != nil {
		return nil, fmt.Errorf("fit truth and bias: %w", err)
	}
	if len(m.Aliased) > 0 {
		return nil, errors.New("the truth does not vary within any dyad")
	}
	tests, err := m.Satterthwaite()
	if err != nil {
		return nil, fmt.Errorf("test truth and bias: %w", err)
	}
	r := &TruthBiasSessionsResult{
		Dyads: rows.dyads, Sessions: m.N, Omitted: len(judgment) - m.N, Model: m, Sigma: m.Sigma,
		DirectionalBias: tested(tests[0], "bias", level), Truth: tested(tests[1], truthColumn, level),
		BiasSD: m.Components[0].SDCor, TruthSD: m.Components[1].SDCor, Rho: m.Components[2].SDCor,
	}
	return r, nil
}

func tested(t lmm.Test, name string, level float64) Coefficient {
	c := Coefficient{Name: name, Estimate: t.Estimate, SE: t.SE, T: t.T, P: t.P}
	c.CI[0], c.CI[1] = t.Interval(level)
	return c
}

// centredRows are complete sessions, both ratings less the dyad's mean truth.
type centredRows struct {
	frame *stats.Frame
	dyads int
}

func centredOnTruth(judgment, truth []float64, dyad []string) (*centredRows, error) {
	type sum struct{ total, n float64 }
	means := map[string]*sum{}
	complete := func(i int) bool { return !math.IsNaN(judgment[i]) && !math.IsNaN(truth[i]) }
	for i, id := range dyad {
		if !complete(i) {
			continue
		}
		if means[id] == nil {
			means[id] = &sum{}
		}
		means[id].total += truth[i]
		means[id].n++
	}
	var y, x []float64
	var g []string
	for i, id := range dyad {
		if !complete(i) {
			continue
		}
		mean := means[id].total / means[id].n
		y, x, g = append(y, judgment[i]-mean), append(x, truth[i]-mean), append(g, id)
	}
	if len(means) < 2 {
		return nil, fmt.Errorf("%w: truth and bias between dyads need two dyads", ErrNoData)
	}
	cy, err := stats.NewNumeric(judgmentColumn, y, nil)
	if err != nil {
		return nil, fmt.Errorf("judgments: %w", err)
	}
	cx, err := stats.NewNumeric(truthColumn, x, nil)
	if err != nil {
		return nil, fmt.Errorf("truths: %w", err)
	}
	f, err := stats.NewFrame(cy, cx, stats.NewFactor(dyadColumn, g, nil))
	if err != nil {
		return nil, fmt.Errorf("put sessions together: %w", err)
	}
	return &centredRows{frame: f, dyads: len(means)}, nil
}
