// SPDX-License-Identifier: AGPL-3.0-or-later

// Package passkeytest is a device in software that makes and shows passkeys, and
// can be made to lie.
package passkeytest
