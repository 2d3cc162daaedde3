// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"

	"github.com/entente-project/entente/internal/care"
)

// GuessesByAddress is how many links and codes that fit nothing an address may try
// in a quarter of an hour. A clinic's network has one address for everybody in it,
// and old links are opened in earnest.
const GuessesByAddress = 200

// Guess runs try, which opens something by a secret, unless too many secrets from
// the address fitted nothing lately; a try that fitted nothing counts. It tells a
// good secret from a bad one as little as a wait does: past the bound try is not
// run at all. Errors: unavailable error.throttled; otherwise what try returns.
func (a *App) Guess(ctx context.Context, address string, try func() error) error {
	window := a.nowMillis() / throttleWindow.Milliseconds() * throttleWindow.Milliseconds()
	sum := sha256.Sum256([]byte("guess\x00" + address))
	bucket := hex.EncodeToString(sum[:16])
	var missed int64
	if err := a.read(ctx, func(tx Tx) (err error) {
		missed, err = tx.Hits(bucket, window)
		return err
	}); err != nil {
		return err
	}
	if missed >= GuessesByAddress {
		return &care.Error{Code: care.Unavailable, Field: "token", Key: "error.throttled"}
	}
	tried := try()
	if !fitsNothing(tried) {
		return tried
	}
	err := a.write(ctx, func(tx Tx) (err error) {
		missed, err = tx.Hit(bucket, window, window-throttleWindow.Milliseconds())
		return err
	})
	if err == nil && missed == GuessesByAddress {
		a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "links or codes are being guessed; one address is refused for a while")
	}
	return errors.Join(tried, err)
}

func fitsNothing(err error) bool {
	e, ok := errors.AsType[*care.Error](err)
	return ok && (e.Code == care.NotFound || e.Code == care.Invalid && e.Field == "code")
}
