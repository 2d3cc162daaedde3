// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import "strings"

// CSS are the rules of a picture, for the stylesheet of the page. Colours come
// from the custom properties --bond, --tasks, --goals, --whole (or --ink), --out,
// --soft, --line, --amber and --paper. On paper and in forced colours the rules
// set them themselves.
func CSS() string {
	var onPaper strings.Builder
	for _, c := range paperColours {
		onPaper.WriteString("--" + c.name + ":" + c.hex + ";")
	}
	return rules(func(name string) string {
		if name == "whole" {
			return "var(--whole,var(--ink))"
		}
		return "var(--" + name + ")"
	}) +
		"@media print{svg.course{" + onPaper.String() + "--paper:#fff;break-inside:avoid}}\n" +
		"@media (forced-colors:active){svg.course{--bond:CanvasText;--tasks:CanvasText;--goals:CanvasText;--whole:CanvasText;--out:CanvasText;--soft:CanvasText;--ink:CanvasText;--amber:CanvasText;--line:GrayText;--paper:Canvas}}\n"
}

// paperColours are dark enough for small letters on white.
var paperColours = []struct{ name, hex string }{
	{"bond", "#a8461f"}, {"tasks", "#17705a"}, {"goals", "#2a559a"}, {"whole", "#44566c"}, {"out", "#67488a"},
	{"soft", "#566368"}, {"line", "#e4e1d9"}, {"ink", "#1c2427"}, {"amber", "#7a4f00"}, {"paper", "#fbfaf7"},
}

func light(name string) string {
	for _, c := range paperColours {
		if c.name == name {
			return c.hex
		}
	}
	return "#000"
}

// rules are the rules with each colour as colour writes it.
func rules(colour func(name string) string) string {
	var b strings.Builder
	b.WriteString(`svg.course{display:block;width:100%;height:auto;overflow:visible;font-family:system-ui,"Segoe UI",sans-serif}
svg.sparkline{width:120px;height:28px}
.course text{font-size:12px;font-variant-numeric:tabular-nums}
.course .line{stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}
.course .line.dashed{stroke-width:1.4;stroke-linecap:butt}
.sparkline .line{stroke-width:1.6}
.course .mark{stroke-width:1.4}
.course .mark.speck,.course .mark.therapist{stroke:none}
.course .end{font-size:13px;font-weight:600}
.course .end.therapist,.course .end.cutlabel{font-size:12px;font-weight:400}
.course .leader{stroke-width:1}
`)
	for _, s := range []struct{ class, name string }{
		{"bond", "bond"}, {"tasks", "tasks"}, {"goals", "goals"}, {"whole", "whole"}, {"outcome", "out"}, {"therapist", "soft"},
	} {
		b.WriteString(strings.NewReplacer("CLASS", s.class, "COLOUR", colour(s.name)).Replace(
			".course .line.CLASS{stroke:COLOUR}.course .mark.CLASS,.course .end.CLASS{fill:COLOUR}\n"))
	}
	b.WriteString(".course .mark:not(.speck):not(.therapist){stroke:" + colour("paper") + "}\n")
	b.WriteString(".course .grid{stroke:" + colour("line") + "}\n")
	b.WriteString(".course .tick,.course .notelabel,.course .notemark,.course .end.cutlabel{fill:" + colour("soft") + "}\n")
	b.WriteString(".course .cut,.course .leader{stroke:" + colour("soft") + "}\n")
	b.WriteString(".course .expected{fill:" + colour("out") + "}\n")
	b.WriteString(".course .band,.course .bandlabel{fill:" + colour("amber") + "}\n")
	return b.String()
}
