// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"errors"
	"fmt"
	"time"

	"github.com/entente-project/entente/stats/meta"
)

// incoming are the studies of --add, read by the same flags as the first ones.
type incoming struct {
	table      *Table
	effects    *effects
	labels     []string
	moderators [][]float64 // by study, in the order of the model
}

// reportLiving adds the studies of --add one after the other, and shows the result
// with each.
func (m *metaModel) reportLiving() error {
	if m.Add == "" {
		return nil
	}
	in, err := m.incoming()
	if err != nil {
		return fmt.Errorf("--add %s: %w", m.Add, err)
	}
	live, err := meta.NewLive(m.data, m.options)
	if err != nil {
		return err
	}
	results, names := []*meta.Result{m.flat}, []string{"before"}
	var took time.Duration
	for i := range in.effects.y {
		began := time.Now()
		r, err := live.Add(meta.Effect{Y: in.effects.y[i], V: in.effects.v[i]}, in.moderators[i]...)
		took += time.Since(began)
		if err != nil {
			var d *meta.DataError
			if errors.As(err, &d) {
				return fmt.Errorf("--add %s, row %d: %s", m.Add, in.table.row[i], d.Reason)
			}
			return fmt.Errorf("--add %s, row %d: %w", m.Add, in.table.row[i], err)
		}
		results, names = append(results, r), append(names, in.labels[i])
	}
	m.living(results, names)
	m.doc.say("%s of %s added, one after the other, in %s altogether.", counted(len(in.labels), "study", "studies"), m.Add, took.Round(time.Microsecond))
	return nil
}

func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// living shows the average after each study, or each coefficient of moderators.
func (m *metaModel) living(results []*meta.Result, names []string) {
	var objects []Object
	var rows [][]string
	for i, r := range results {
		objects = append(objects, Object{{"label", names[i]}, {"k", r.K}, {"coefficients", coefficientObjects(r.Coefficients)}, {"tau2", r.Tau2}, {"I2", r.I2}, {"QE", testObject(r.QE)}, {"QM", testObject(r.QM)}, {"state", string(r.State)}})
		for j, c := range r.Coefficients {
			row := []string{names[i], c.Name, num(c.Estimate), num(c.SE), prob(c.P), num(c.Lower), num(c.Upper), num(r.Tau2), num(r.I2)}
			if j > 0 {
				row[0], row[7], row[8] = "", "", ""
			}
			if m.Mods == "" {
				row[1] = whole(r.K)
			}
			rows = append(rows, row)
		}
	}
	second := "k"
	if m.Mods != "" {
		second = "coefficient"
	}
	m.add("living", objects)
	m.doc.table("As studies are added", []string{"", second, "estimate", "SE", "p", percent(m.Level) + " from", "to", "tau²", "I²"}, rows)
}

// incoming reads the table of --add.
func (m *metaModel) incoming() (*incoming, error) {
	source := m.Source
	source.Data = m.Add
	t, err := source.open(nil)
	if err != nil {
		return nil, err
	}
	also, err := m.columns(t)
	if err != nil {
		return nil, err
	}
	in := &incoming{}
	if in.table, in.effects, err = m.read(t, also); err != nil {
		return nil, err
	}
	if in.labels, err = (&metaModel{MetaCommand: m.MetaCommand, table: in.table}).names(); err != nil {
		return nil, err
	}
	in.moderators = make([][]float64, len(in.effects.y))
	if m.design == nil {
		return in, nil
	}
	d, err := m.design.Apply(in.table.Frame)
	if err != nil {
		return nil, err
	}
	if d.X.Rows != len(in.moderators) {
		return nil, errors.New("a moderator of a row has no value")
	}
	for i := range in.moderators {
		for j, v := range d.X.Row(i) {
			if d.X.Term[j] >= 0 {
				in.moderators[i] = append(in.moderators[i], v)
			}
		}
	}
	return in, nil
}
