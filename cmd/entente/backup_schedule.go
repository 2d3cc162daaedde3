// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// keeping says of how many days, weeks and months one backup each stays.
type keeping struct{ days, weeks, months int }

// UnmarshalText reads "7,4,12".
func (k *keeping) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ",")
	if len(parts) != 3 {
		return fmt.Errorf("%q is not three numbers: days, weeks and months, such as 7,4,12", text)
	}
	for i, to := range []*int{&k.days, &k.weeks, &k.months} {
		n, err := strconv.Atoi(strings.TrimSpace(parts[i]))
		if err != nil || n < 0 {
			return fmt.Errorf("%q is not three numbers: days, weeks and months, such as 7,4,12", text)
		}
		*to = n
	}
	return nil
}

// stay gives those of the names, oldest first, that stay: the newest of each of
// the last days, weeks and months that have any.
func (k keeping) stay(names []string) map[string]bool {
	out := map[string]bool{}
	for _, rule := range []struct {
		n    int
		slot func(time.Time) string
	}{
		{k.days, func(t time.Time) string { return t.Format(time.DateOnly) }},
		{k.weeks, func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprint(y, w) }},
		{k.months, func(t time.Time) string { return t.Format("2006-01") }},
	} {
		slots := map[string]bool{}
		for _, name := range slices.Backward(names) {
			t, err := time.Parse(backupName, name)
			if err != nil {
				continue
			}
			if s := rule.slot(t); !slots[s] && len(slots) < rule.n {
				slots[s] = true
				out[name] = true
			}
		}
	}
	return out
}

// backups are the finished ones in a folder, oldest first.
func (f backupFlags) backups() ([]string, error) {
	entries, err := os.ReadDir(f.BackupTo)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if _, err := time.Parse(backupName, e.Name()); err == nil {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

// retire removes what need not stay, once there is a new one that was restored
// and checked; that one stays whatever its name says of the clock.
func (f backupFlags) retire(made string) error {
	all, err := f.backups()
	if err != nil {
		return err
	}
	stay := f.BackupKeep.stay(all)
	stay[made] = true
	for _, name := range all {
		if stay[name] {
			continue
		}
		if err := os.Remove(filepath.Join(f.BackupTo, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("an old backup could not be removed: %w", err)
		}
	}
	return nil
}

// sweep removes what a backup left that was killed a day ago or longer.
func (f backupFlags) sweep(now time.Time) {
	left, err := filepath.Glob(filepath.Join(f.BackupTo, ".backup-*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && now.Sub(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(dir) // the next one tries again
		}
	}
}

const (
	// lookEvery bounds how long a schedule sleeps, so that a clock that is put
	// right, or another server that died, is noticed.
	lookEvery = 10 * time.Minute
	// backupLease is how long a server that died keeps others from it.
	backupLease = 5 * time.Minute
)

// keeper makes the backups of a schedule. Of several servers over one database
// each may have one: whichever comes first when one is due makes it.
type keeper struct {
	backupFlags
	id    string
	vault *vault.Vault
	store *store.Store
	log   *slog.Logger
	now   func() time.Time
}

// schedule makes backups until ctx ends.
func (k *keeper) schedule(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := k.turn(ctx)
		if err != nil && ctx.Err() == nil {
			k.log.Error("no backup was made", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// turn makes a backup if one is due and nobody else does, and says after how
// long to look again. What it came to is kept for everybody to see.
func (k *keeper) turn(ctx context.Context) (time.Duration, error) {
	wait, err := k.wait(ctx)
	if err != nil || wait > 0 {
		return max(min(wait, lookEvery), time.Minute), err
	}
	got, err := k.lease(ctx, backupLease)
	if err != nil || !got {
		return time.Minute, err
	}
	done, held := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(held)
		k.hold(ctx, done)
	}()
	defer func() { close(done); <-held }()
	// Another server may have made it since it was found to be due.
	if wait, err = k.wait(ctx); err != nil || wait > 0 {
		return time.Minute, err
	}
	return k.once(ctx)
}

// wait is how long until the next backup is due. It also notes how often they
// are made, by which everybody knows when one is late.
func (k *keeper) wait(ctx context.Context) (time.Duration, error) {
	var state care.BackupState
	if err := k.store.Read(ctx, func(t *store.Tx) (err error) { state, err = t.BackupState(); return err }); err != nil {
		return 0, err
	}
	if every := k.BackupEvery.Milliseconds(); state.EveryMillis != every {
		if err := k.note(ctx, func(b *care.BackupState) { b.EveryMillis = every }); err != nil {
			return 0, err
		}
	}
	return k.due(state).Sub(k.now()), nil
}

// due is when the next backup should be made: at once where the folder has none,
// and where the last one is of a time to come.
func (k *keeper) due(state care.BackupState) time.Time {
	made := time.UnixMilli(state.MadeMillis)
	if all, err := k.backups(); err != nil || len(all) == 0 || made.After(k.now()) {
		return k.now()
	}
	return made.Add(k.BackupEvery)
}

func (k *keeper) lease(ctx context.Context, lasts time.Duration) (bool, error) {
	now := k.now()
	return k.store.Lease(ctx, "backup", k.id, now.UnixMilli(), now.Add(lasts).UnixMilli())
}

// once makes one backup while it holds the lease.
func (k *keeper) once(ctx context.Context) (time.Duration, error) {
	began := k.now()
	name, err := k.backup(ctx, k.vault, k.store, began)
	if name == "" {
		if ctx.Err() != nil {
			return 0, err
		}
		failed := k.note(ctx, func(b *care.BackupState) { b.FailedMillis = k.now().UnixMilli() })
		return lookEvery, errors.Join(err, failed) // then again: a disk may have space by then
	}
	if err != nil {
		k.log.Error("the backup is good, and something else is not", "err", err)
	}
	var size int64
	if info, err := os.Stat(name); err == nil {
		size = info.Size()
	}
	took := k.now().Sub(began)
	k.log.Info("backup", "file", name, "bytes", size, "seconds", took.Seconds())
	return lookEvery, k.note(ctx, func(b *care.BackupState) {
		b.MadeMillis, b.TookMillis, b.SizeBytes = began.UnixMilli(), took.Milliseconds(), size
	})
}

// hold keeps the lease until done, and gives it back then.
func (k *keeper) hold(ctx context.Context, done <-chan struct{}) {
	again := time.NewTicker(backupLease / 4)
	defer again.Stop()
	for {
		select {
		case <-done:
			if _, err := k.lease(context.WithoutCancel(ctx), 0); err != nil {
				k.log.Error("the lease of backups could not be given back", "err", err)
			}
			return
		case <-again.C:
			if _, err := k.lease(ctx, backupLease); err != nil {
				k.log.Error("the lease of backups could not be kept", "err", err)
			}
		}
	}
}

// note changes what is known of backups.
func (k *keeper) note(ctx context.Context, change func(*care.BackupState)) error {
	return k.store.Write(ctx, func(t *store.Tx) error {
		b, err := t.BackupState()
		if err != nil {
			return err
		}
		change(&b)
		return t.PutBackupState(b)
	})
}
