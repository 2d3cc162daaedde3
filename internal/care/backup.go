// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// BackupState says when backups were made; times are 0 for never.
type BackupState struct {
	MadeMillis   int64 // begin of the last one that was read back and found whole
	TookMillis   int64 // how long that one took
	SizeBytes    int64 // and how large it is
	FailedMillis int64 // when one last could not be made
	EveryMillis  int64 // how often the schedule makes one; 0 without a schedule
}

// Failing tells that the last try failed.
func (b BackupState) Failing() bool { return b.FailedMillis > b.MadeMillis }

// Late tells that two rounds of the schedule have passed without a backup.
func (b BackupState) Late(nowMillis int64) bool {
	return b.EveryMillis > 0 && nowMillis > b.MadeMillis+2*b.EveryMillis
}
