// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import "github.com/entente-project/entente/stats/psych"

func (m *metaModel) pictures()                       {}
func (m *lmmModel) pictures()                        {}
func (c *CFACommand) pictures(*Document, *psych.Fit) {}
