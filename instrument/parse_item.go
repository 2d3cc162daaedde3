// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"
)

func (r *reader) items(o object) []Item {
	var out []Item
	seen := map[string]bool{}
	for n, node := range o.list("items", required, 1) {
		path := fmt.Sprintf("items[%d]", n)
		f, ok := r.object(node, path, "id", "text", "display", "min", "max", "step", "low", "high", "options", "drawing", "tension")
		if !ok {
			continue
		}
		it := r.item(f)
		if it.ID != "" && seen[it.ID] {
			r.fail(f.fields["id"], f.at("id"), "Two items have the id %q.", it.ID)
		}
		seen[it.ID] = true
		out = append(out, it)
	}
	return out
}

func (r *reader) item(f object) Item {
	it := Item{ID: f.itemID("id"), Text: f.text("text", required)}
	it.Display = Display(f.oneOf("display", string(Line), string(Buttons)))
	it.Tension, _ = f.boolean("tension", optional)
	switch it.Display {
	case Line:
		r.forbid(f, "A line has no %q; only buttons have.", "options", "drawing")
		r.line(f, &it)
	case Buttons:
		r.forbid(f, "Buttons have no %q; their options say it.", "min", "max", "step", "low", "high")
		r.buttons(f, &it)
		if n := f.get("drawing", optional); n != nil {
			s, _ := r.choice(n, f.at("drawing"), string(Plant), string(Weather))
			it.Drawing = Drawing(s)
		}
	}
	return it
}

func (r *reader) forbid(f object, format string, keys ...string) {
	for _, key := range keys {
		if n := f.get(key, optional); n != nil {
			r.fail(n, f.at(key), format, key)
		}
	}
}

// maxSteps is far above what a line on a screen can tell apart.
const maxSteps = 10000

func (r *reader) line(f object, it *Item) {
	it.Low, it.High = f.text("low", required), f.text("high", required)
	low, okLow := f.number("min", required)
	high, okHigh := f.number("max", required)
	step, okStep := 1.0, true
	if f.fields["step"] != nil {
		step, okStep = f.number("step", required)
	}
	it.Min, it.Max, it.Step = low, high, step
	if okStep && step <= 0 {
		r.fail(f.fields["step"], f.at("step"), "\"step\" must be above 0.")
		okStep = false
	}
	if !okLow || !okHigh {
		return
	}
	if low >= high {
		r.fail(f.fields["max"], f.at("max"), "\"max\" (%v) must be above \"min\" (%v).", high, low)
		return
	}
	if !okStep {
		return
	}
	where := f.fields["step"]
	if where == nil {
		where = f.fields["max"]
	}
	if steps := (high - low) / step; steps > maxSteps || !whole(steps) || math.Round(steps) < 1 {
		r.fail(where, f.at("step"), "Steps of %v do not lead from \"min\" (%v) to \"max\" (%v) in 1 to %d steps.", step, low, high, maxSteps)
	}
}

func (r *reader) buttons(f object, it *Item) {
	numbers, noAnswers, seen := 0, 0, map[float64]bool{}
	for n, node := range f.list("options", required, 2) {
		o, ok := r.object(node, fmt.Sprintf("%s[%d]", f.at("options"), n), "value", "label", "no_answer")
		if !ok {
			continue
		}
		opt := Option{Label: o.text("label", required)}
		opt.NoAnswer, _ = o.boolean("no_answer", optional)
		if opt.Value, ok = o.number("value", required); !ok {
			continue
		}
		if seen[opt.Value] {
			r.fail(o.fields["value"], o.at("value"), "Two options have the value %v.", opt.Value)
		}
		seen[opt.Value] = true
		it.Options = append(it.Options, opt)
		if opt.NoAnswer {
			if noAnswers++; noAnswers > 1 {
				r.fail(o.fields["no_answer"], o.at("no_answer"), "Two options hold no answer; one is enough.")
			}
			continue
		}
		if numbers == 0 {
			it.Min, it.Max = opt.Value, opt.Value
		}
		numbers++
		it.Min, it.Max = min(it.Min, opt.Value), max(it.Max, opt.Value)
	}
	if n := f.fields["options"]; n != nil && n.Kind == yaml.SequenceNode && len(n.Content) >= 2 && len(it.Options) == len(n.Content) && numbers < 2 {
		r.fail(n, f.at("options"), "\"options\" needs at least two that are numbers.")
	}
}
