// SPDX-License-Identifier: AGPL-3.0-or-later

package simulate

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/entente-project/entente/alliance"
)

// FalseAlarms puts the rules that a practice may choose, each at its paper's limit,
// to so many stable courses of so many series of one person, as Limits draws them,
// and counts in what share each has asked at least once by the second, third, ...
// session; of a form with steps and a ceiling and one without the larger share. Keys
// are the rules' IDs. Errors: the context's.
func FalseAlarms(ctx context.Context, seed uint64, courses, series int) (map[string][]float64, error) {
	rules := alliance.Offered()
	out := map[string][]float64{}
	for _, r := range rules {
		out[r.ID] = make([]float64, LongestCourse-1)
	}
	for _, form := range []Form{{}, DefaultPlan().Form} {
		for k, counts := range asked(ctx, rules, form, seed, courses, series) {
			for i, n := range counts {
				out[rules[k].ID][i] = max(out[rules[k].ID][i], float64(n)/float64(courses))
			}
		}
	}
	return out, ctx.Err()
}

// asked counts, by rule and session from the second on, the courses asked about by
// then.
func asked(ctx context.Context, rules []alliance.Published, form Form, seed uint64, courses, series int) [][]int {
	total := make([][]int, len(rules))
	for k := range total {
		total[k] = make([]int, LongestCourse-1)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	between := DefaultPlan().Population
	for w := range workers {
		wg.Go(func() {
			first := make([][]int, len(rules)) // by rule: how many courses are first asked about in a session
			for k := range first {
				first[k] = make([]int, LongestCourse+1)
			}
			for i := w; i < courses && ctx.Err() == nil; i += workers {
				drawn := together(rand.New(rand.NewPCG(seed, uint64(i))), form, series) //nolint:gosec // draws examples, hides nothing
				for k, r := range rules {
					first[k][firstAsked(r, drawn, between)]++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for k := range rules {
				sum := 0
				for n := 2; n <= LongestCourse; n++ {
					sum += first[k][n]
					total[k][n-2] += sum
				}
			}
		})
	}
	wg.Wait()
	return total
}

// firstAsked is the session in which a rule first asks about any of the series, 0
// for never.
func firstAsked(r alliance.Published, drawn [][]float64, p alliance.Population) int {
	for n := 2; n <= LongestCourse; n++ {
		for _, y := range drawn {
			if r.Of(y[:n], p) > r.Limit {
				return n
			}
		}
	}
	return 0
}
