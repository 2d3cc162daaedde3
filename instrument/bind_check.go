// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unfit says in what a question's answers are not those of an item of the key.
func (b *binder) unfit(a asked, k Item) (why []string) {
	if a.Many {
		why = append(why, "it takes several answers at once, and an item of the key takes one.")
	}
	if a.Line != nil {
		return append(why, unfitLine(a.Line, k)...)
	}
	var values []float64
	declined := 0
	for _, o := range a.Options {
		switch {
		case o.Declined:
			declined++
		case !o.Scored:
			why = append(why, fmt.Sprintf("the answer %s has no number; give it one, as an ordinalValue.", answerName(b, o)))
		default:
			values = append(values, o.Value)
		}
	}
	if declined > 1 {
		why = append(why, "two of its answers mean \"rather not say\"; one is enough.")
	}
	if len(values) < len(a.Options)-declined {
		return why
	}
	return append(why, b.unfitValues(a, k, values)...)
}

func unfitLine(l *WordedLine, k Item) (why []string) {
	if l.Min != nil && *l.Min != k.Min {
		why = append(why, fmt.Sprintf("its least answer is %v, and the key's %v.", *l.Min, k.Min))
	}
	if l.Max != nil && *l.Max != k.Max {
		why = append(why, fmt.Sprintf("its greatest answer is %v, and the key's %v.", *l.Max, k.Max))
	}
	if l.Step != nil && (*l.Step <= 0 || !whole((k.Max-k.Min) / *l.Step)) {
		why = append(why, fmt.Sprintf("steps of %v do not lead from %v to %v.", *l.Step, k.Min, k.Max))
	}
	return why
}

// mostPlaces is up to how many answers of a key each has to be there to choose: a
// line of a hundred places may be drawn with fewer.
const mostPlaces = 21

func (b *binder) unfitValues(a asked, k Item, values []float64) (why []string) {
	wanted := places(k)
	if off, ok := shifted(values, wanted); ok {
		return []string{fmt.Sprintf("its answers are %s, and the key's %s: change every number by %v.", list(values), list(wanted), off)}
	}
	seen := map[float64]bool{}
	for _, o := range a.Options {
		if o.Declined {
			continue
		}
		switch {
		case seen[o.Value]:
			why = append(why, fmt.Sprintf("two of its answers have the number %v.", o.Value))
		case o.Value < k.Min || o.Value > k.Max:
			why = append(why, fmt.Sprintf("the answer %s has the number %v, and the key's go from %v to %v.", answerName(b, o), o.Value, k.Min, k.Max))
		case !slices.Contains(wanted, o.Value) && (len(wanted) <= mostPlaces || k.refuse(o.Value) != ""):
			why = append(why, fmt.Sprintf("the answer %s has the number %v, which is none of the key's.", answerName(b, o), o.Value))
		}
		seen[o.Value] = true
	}
	for n, v := range wanted {
		if !seen[v] && (len(wanted) <= mostPlaces || n == 0 || n == len(wanted)-1) {
			why = append(why, fmt.Sprintf("no answer has the number %v, which the key has.", v))
		}
	}
	return why
}

// places are the numbers that an item of a key takes, from the lowest.
func places(k Item) (out []float64) {
	if len(k.Options) > 0 {
		for _, o := range k.Options {
			if !o.NoAnswer {
				out = append(out, o.Value)
			}
		}
		slices.Sort(out)
		return out
	}
	steps := int(math.Round((k.Max - k.Min) / k.Step))
	for n := range min(steps, maxSteps) + 1 {
		out = append(out, math.Round((k.Min+float64(n)*k.Step)*1e6)/1e6)
	}
	return out
}

// shifted says by how much values have to be changed to be the wanted ones, if
// that is the same for all and not 0.
func shifted(values, wanted []float64) (float64, bool) {
	v := slices.Sorted(slices.Values(values))
	if len(v) != len(wanted) || len(v) == 0 || v[0] == wanted[0] {
		return 0, false
	}
	off := wanted[0] - v[0]
	for n := range v {
		if v[n]+off != wanted[n] {
			return 0, false
		}
	}
	return off, true
}

func list(values []float64) string {
	v := slices.Sorted(slices.Values(values))
	return fmt.Sprintf("%v to %v", v[0], v[len(v)-1])
}

func answerName(b *binder, o WordedOption) string {
	return strconv.Quote(short(cmp.Or(o.Label.In(b.words.Language), o.Code.Value, strconv.FormatFloat(o.Value, 'f', -1, 64))))
}

var (
	numberBefore = regexp.MustCompile(`^\s*([0-9]{1,3})\s*[.):\-]`)
	numberAlone  = regexp.MustCompile(`^\s*([0-9]{1,3})\s*[.)]?\s*$`)
	numberAfter  = regexp.MustCompile(`(?:^|[A-Za-z_./ ])([0-9]{1,3})$`)
)

// numbered is the number that the file gives a question: as its prefix, in front
// of its words, or at the end of its link id; 0 if there is none.
func (b *binder) numbered(a asked, by int) int {
	text, m := "", []string(nil)
	switch by {
	case 0:
		m = numberAlone.FindStringSubmatch(a.Prefix)
	case 1:
		text = a.Text.In(b.words.Language)
		m = numberBefore.FindStringSubmatch(text)
	default:
		m = numberAfter.FindStringSubmatch(a.ID)
	}
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// order compares the numbers that the file gives its questions with their order:
// the key counts by it. A file that numbers nothing is only told of.
func (b *binder) order() {
	for by := range 3 {
		var numbers []int
		for _, a := range b.items {
			n := b.numbered(a, by)
			if n == 0 || slices.Contains(numbers, n) {
				break
			}
			numbers = append(numbers, n)
		}
		if len(numbers) < len(b.items) || len(numbers) == 0 {
			continue
		}
		for n := range numbers {
			if n > 0 && numbers[n] < numbers[n-1] {
				b.failAt(b.items[n], "it is number %d and comes after number %d; the key counts the items in the order of the published form.", numbers[n], numbers[n-1])
			}
		}
		return
	}
	b.note("", "The file does not number its questions: compare their order with the published form, by which the key counts.")
}

// reversed reports whether any scale of the key turns an item round.
func (b *binder) reversed(id string) bool {
	return slices.ContainsFunc(b.key.Form.Scales, func(s Scale) bool { return slices.Contains(s.Reversed, id) })
}

// directions looks for items that the file has turned round already, by the
// numbers that the same words have elsewhere.
func (b *binder) directions() {
	type item struct {
		asked
		k       Item
		words   string
		numbers map[string]float64
	}
	var all []item
	votes := map[string]map[string]int{}
	for n, a := range b.items {
		if n >= len(b.key.Form.Items) || a.Line != nil {
			continue
		}
		it := item{asked: a, k: b.key.Form.Items[n], numbers: map[string]float64{}}
		it.words, it.numbers = b.answers(a)
		all = append(all, it)
		if votes[it.words] == nil {
			votes[it.words] = map[string]int{}
		}
		weight := 1000 // items that the key does not turn round show which way is straight
		if b.reversed(it.k.ID) {
			weight = 1
		}
		votes[it.words][fmt.Sprint(it.numbers)] += weight
	}
	for _, it := range all {
		same, straight := votes[it.words], map[string]float64(nil)
		best := 0
		for _, other := range all {
			if v := same[fmt.Sprint(other.numbers)]; other.words == it.words && v > best {
				best, straight = v, other.numbers
			}
		}
		if fmt.Sprint(straight) == fmt.Sprint(it.numbers) || slices.Contains(b.choice.TurnBack, it.ID) {
			continue
		}
		b.turned(it.asked, it.k, it.numbers, straight)
	}
}

// answers are the words of a question's answers, whatever their order, and the
// number of each.
func (b *binder) answers(a asked) (words string, numbers map[string]float64) {
	numbers = map[string]float64{}
	var all []string
	for _, o := range a.Options {
		if o.Scored {
			label := strings.ToLower(strings.TrimSpace(cmp.Or(o.Label.In(b.words.Language), o.Code.Value)))
			all = append(all, label)
			numbers[label] = o.Value
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n"), numbers
}

// turned says what is wrong where the same words have other numbers.
func (b *binder) turned(a asked, k Item, numbers, straight map[string]float64) {
	opposite, label := true, ""
	for l, v := range numbers {
		opposite = opposite && v == k.Min+k.Max-straight[l]
		if v != straight[l] && (label == "" || l < label) {
			label = l
		}
	}
	switch {
	case !opposite:
		b.failAt(a, "the answer %q has the number %v, and %v in other questions.", short(label), numbers[label], straight[label])
	case b.reversed(k.ID):
		b.failAt(a, "the key turns item %s round, and the file has done so already: %q is %v here and %v in other questions. Give it the numbers of the others, or have it turned back.", k.ID, short(label), numbers[label], straight[label])
		b.bad[len(b.bad)-1].Decide = TurnItBack
	default:
		b.failAt(a, "its answers run against those of the others (%q is %v here and %v there), and the key does not turn item %s round. Correct its numbers.", short(label), numbers[label], straight[label], k.ID)
	}
}
