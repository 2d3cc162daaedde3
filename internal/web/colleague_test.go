// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/care"
)

// TestBackupView: a manager reads when the last good backup was made, and is told
// when one failed or is late; in both languages.
func TestBackupView(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	for _, x := range []struct {
		state  care.BackupState
		bad    bool
		en, it string
	}{
		{care.BackupState{}, false, "does not make backups by itself", "non fa copie di sicurezza"},
		{care.BackupState{EveryMillis: day.Milliseconds()}, false, "No backup has been made yet.", "Non è ancora stata fatta"},
		{care.BackupState{EveryMillis: day.Milliseconds(), FailedMillis: ago(time.Hour)}, true, "No backup has been made yet. A backup failed: today, 11:00", "oggi, 11:00"},
		{care.BackupState{EveryMillis: day.Milliseconds(), MadeMillis: ago(9 * time.Hour), FailedMillis: ago(10 * time.Hour)}, false, "Last good backup: today, 03:00.", "Ultima copia riuscita: oggi, 03:00."},
		{care.BackupState{EveryMillis: day.Milliseconds(), MadeMillis: ago(33 * time.Hour), FailedMillis: ago(time.Hour)}, true, "yesterday, 03:00. It was encrypted, restored for a test, and checked. A backup failed: today, 11:00.", "ieri, 03:00"},
		{care.BackupState{EveryMillis: day.Milliseconds(), MadeMillis: ago(49 * time.Hour)}, true, "longer ago than planned", "più tempo del previsto"},
	} {
		for lang, want := range map[string]string{"en": x.en, "it": x.it} {
			c, _ := newCall(t, lang, "GET /colleagues")
			c.s.cfg.Now = func() time.Time { return now }
			if got := c.backupView(x.state); !strings.Contains(got.Text, want) || got.Bad != x.bad {
				t.Errorf("%s %+v: %+v", lang, x.state, got)
			}
		}
	}
}
