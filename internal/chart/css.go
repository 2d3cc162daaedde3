// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

// CSS are the rules of a picture. Colours come from the custom properties
// --bond, --tasks, --goals, --whole, --out, --soft, --line, --amber and --paper.
func CSS() string {
	return `svg.course{display:block;width:100%;height:auto;overflow:visible;font-family:system-ui,"Segoe UI",sans-serif}
svg.sparkline{width:120px;height:28px}
.course .grid{stroke:var(--line)}
.course .tick,.course .notelabel{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
.course .line{stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}
.course .mark{stroke:var(--paper);stroke-width:1.4}
.course .line.bond{stroke:var(--bond)}.course .mark.bond,.course .end.bond{fill:var(--bond)}
.course .line.tasks{stroke:var(--tasks)}.course .mark.tasks,.course .end.tasks{fill:var(--tasks)}
.course .line.goals{stroke:var(--goals)}.course .mark.goals,.course .end.goals{fill:var(--goals)}
.course .line.whole{stroke:var(--whole)}.course .mark.whole,.course .end.whole{fill:var(--whole)}
.course .line.outcome{stroke:var(--out)}.course .mark.outcome,.course .end.outcome{fill:var(--out)}
.course .line.therapist{stroke:var(--soft)}.course .mark.therapist,.course .end.therapist{fill:var(--soft)}
.course .line.dashed{stroke-width:1.4;stroke-dasharray:4 4}
.course .end{font-size:13px;font-weight:600;font-variant-numeric:tabular-nums}
.course .end.therapist{font-weight:400;font-size:12px}
.course .leader{stroke:var(--soft);stroke-width:.8;fill:none;opacity:.6}
.course .cut{stroke:var(--soft);stroke-dasharray:2 4}
.course .band{fill:var(--amber);opacity:.1}
.course .bandlabel{font-size:12px;fill:var(--amber)}
.course .notemark{fill:var(--soft)}
.sparkline .line.whole{stroke-width:1.6}
`
}
