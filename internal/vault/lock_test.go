// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
)

const words = "correct horse battery staple"

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "entente.key") }

func create(t testing.TB, lock Lock) (string, *Vault) {
	t.Helper()
	path := newPath(t)
	v, err := CreateLocked(t.Context(), path, lock)
	if err != nil {
		t.Fatal(err)
	}
	return path, v
}

func reopen(t testing.TB, path string, lock Lock) *Vault {
	t.Helper()
	v, err := OpenLocked(t.Context(), path, lock)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func service(wrap, unwrap string) CommandLine {
	argv := func(what string) []string {
		return append([]string{os.Args[0], "key-service"}, strings.Fields(what)...)
	}
	return CommandLine{Wrap: argv(wrap), Unwrap: argv(unwrap)}
}

func goodService() Lock { return Command(service("wrap", "unwrap")) }

func TestPassphrase(t *testing.T) {
	t.Parallel()
	path, v := create(t, Passphrase([]byte(words)))
	_, wrapped := newTestKey(t, v, client)
	again := reopen(t, path, Passphrase([]byte(words)))
	if _, err := again.Unwrap(client, wrapped); err != nil || again.Fingerprint() != v.Fingerprint() {
		t.Fatalf("%v; %v and %v", err, again, v)
	}
	if _, err := Open(path); !errors.Is(err, ErrLocked) {
		t.Errorf("without a passphrase: %v", err)
	}
	for _, wrong := range []string{words + ".", strings.ToUpper(words), words[1:], " " + words} {
		if _, err := OpenLocked(t.Context(), path, Passphrase([]byte(wrong))); !errors.Is(err, ErrWrongLock) || strings.Contains(err.Error(), "horse") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := OpenLocked(t.Context(), path, goodService()); !errors.Is(err, ErrLockKind) {
		t.Errorf("a command for a passphrase: %v", err)
	}
	info, err := Inspect(path)
	if err != nil || info != (FileInfo{Version: 2, Lock: "passphrase", Fingerprint: v.Fingerprint()}) {
		t.Errorf("Inspect = %+v, %v", info, err)
	}
}

// The same characters, composed on one device and decomposed on another.
func TestPassphraseIsNormalised(t *testing.T) {
	t.Parallel()
	path, _ := create(t, Passphrase([]byte("perch\u00e9 no, \ufb01ne del mese")))
	reopen(t, path, Passphrase([]byte("perche\u0301 no, fine del mese")))
}

func TestPassphraseThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	for what, bad := range map[string]string{
		"empty": "", "short": "fourteen chars", "line": words + "\n", "zero": words + "\x00", "not text": words + "\xff",
		"long": strings.Repeat("a", maxPassphrase+1),
	} {
		_, err := CreateLocked(t.Context(), path, Passphrase([]byte(bad)))
		if !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Fatalf("%s left a file: %v", what, err)
		}
	}
	lock := Passphrase([]byte(words))
	lock.Clear()
	if _, err := CreateLocked(t.Context(), path, lock); !errors.Is(err, ErrPassphrase) {
		t.Errorf("after Clear: %v", err)
	}
}

func TestClearForgetsThePassphrase(t *testing.T) {
	t.Parallel()
	lock := Passphrase([]byte(words))
	s := *lock.m.secret
	lock.Clear()
	if !bytes.Equal(s[:cap(s)], make([]byte, cap(s))) {
		t.Fatal("the passphrase is still in memory")
	}
}

// The file alone opens nothing: neither the key nor its lock key is in it.
func TestLockedFileHoldsNoKey(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]Lock{"passphrase": Passphrase([]byte(words)), "command": goodService()} {
		path, _ := create(t, lock)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h, err := unlockKeys(t.Context(), path, text, lock)
		if err != nil {
			t.Fatal(err)
		}
		value := insecurecleartextkeyset.KeysetMaterial(h).GetKey()[0].GetKeyData().GetValue()
		f, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		key, err := lock.find(t.Context(), f.Lock)
		if err != nil {
			t.Fatal(err)
		}
		secrets := [][]byte{value[len(value)-32:], key, []byte(words)}
		for _, raw := range [][]byte{text, f.Keys, f.Lock.Wrapped, f.Lock.Salt, f.Lock.Key} {
			for i, s := range secrets {
				if bytes.Contains(raw, s[:16]) {
					t.Errorf("%s: secret %d is in the file", name, i)
				}
			}
		}
	}
}

func TestShippedCost(t *testing.T) {
	t.Parallel()
	if shipped.MemoryKiB < 19<<10 || shipped.Passes < 2 || shipped.Lanes < 1 {
		t.Errorf("a passphrase costs %+v, less than 19 MiB and two passes", shipped)
	}
	record := lockRecord{Kind: lockPassphrase, argonCost: shipped, Salt: make([]byte, saltSize)}
	if err := record.check(); err != nil {
		t.Errorf("what is written today is not read: %v", err)
	}
	for _, c := range []argonCost{
		{}, {19<<10 - 1, 2, 1}, {19 << 10, 1, 1}, {19 << 10, 2, 0}, {1<<20 + 1, 2, 1}, {19 << 10, 17, 1}, {19 << 10, 2, 17},
	} {
		record.argonCost = c
		if record.check() == nil {
			t.Errorf("a file may ask for %+v", c)
		}
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	path, v := create(t, goodService())
	_, wrapped := newTestKey(t, v, client)
	if _, err := reopen(t, path, goodService()).Unwrap(client, wrapped); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrLocked) {
		t.Errorf("without a command: %v", err)
	}
	if _, err := OpenLocked(t.Context(), path, Passphrase([]byte(words))); !errors.Is(err, ErrLockKind) {
		t.Errorf("a passphrase for a command: %v", err)
	}
	for _, c := range []struct{ unwrap, says string }{
		{"other", "gave another key"}, {"nothing", "gave 0 bytes"}, {"much", "more than 32 bytes"}, {"fail", "exit status 3"},
	} {
		_, err := OpenLocked(t.Context(), path, Command(service("wrap", c.unwrap)))
		if !errors.Is(err, ErrCommand) && !errors.Is(err, ErrWrongLock) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.unwrap, err)
		}
	}
	for _, argv := range [][]string{nil, {filepath.Join(t.TempDir(), "absent")}, {t.TempDir()}} {
		if _, err := OpenLocked(t.Context(), path, Command(CommandLine{Unwrap: argv})); !errors.Is(err, ErrCommand) {
			t.Errorf("%q: %v", argv, err)
		}
	}
}

// A file is only written when its key came back from the service.
func TestCommandThatCannotBeTrustedWithAKey(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	for _, c := range [][2]string{
		{"nothing", "unwrap"}, {"echo", "echo"}, {"wrap", "other"}, {"wrap", "fail"}, {"fail", "unwrap"}, {"other", "unwrap"}, {"much", "unwrap"},
	} {
		if _, err := CreateLocked(t.Context(), path, Command(service(c[0], c[1]))); !errors.Is(err, ErrCommand) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", c, err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Fatalf("%s left a file: %v", c, err)
		}
	}
	c := service("wrap", "unwrap")
	c.Wrap = nil
	if _, err := CreateLocked(t.Context(), path, Command(c)); !errors.Is(err, ErrCommand) {
		t.Errorf("nothing to wrap with: %v", err)
	}
}

func TestCommandThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	path, _ := create(t, goodService())
	c := service("wrap", "hang")
	c.Timeout = 100 * time.Millisecond
	if _, err := OpenLocked(t.Context(), path, Command(c)); !errors.Is(err, ErrCommand) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hanging command: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenLocked(ctx, path, Command(service("wrap", "hang"))); !errors.Is(err, ErrCommand) || !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled start: %v", err)
	}
	var pid bytes.Buffer
	c = service("wrap", "child")
	c.Stderr = &pid
	_, err := OpenLocked(t.Context(), path, Command(c))
	if n, bad := strconv.Atoi(pid.String()); bad == nil {
		if p, bad := os.FindProcess(n); bad == nil {
			_ = p.Kill()
		}
	} else {
		t.Errorf("no child was started: %v", bad)
	}
	if !errors.Is(err, ErrCommand) {
		t.Errorf("a child that holds the pipe: %v", err)
	}
}

// Others of the machine can list arguments, and a log may hold the errors.
func TestCommandShowsNoSecret(t *testing.T) {
	t.Parallel()
	var seen bytes.Buffer
	c := service("see wrap", "see unwrap")
	c.Stderr = &seen
	c.Wrap = append(c.Wrap, "--password=CANARY")
	path := newPath(t)
	if _, err := CreateLocked(t.Context(), path, Command(c)); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	f, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	key, err := goodService().find(t.Context(), f.Lock)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(seen.String(), "key-service") {
		t.Fatal("the test sees nothing")
	}
	for _, form := range []string{string(key), hex.EncodeToString(key), base64.StdEncoding.EncodeToString(key), fmt.Sprintf("%q", key)} {
		if strings.Contains(seen.String(), form) {
			t.Error("the key is among the arguments or in the environment")
		}
	}
	c.Wrap[2] = "fail"
	if _, err := CreateLocked(t.Context(), newPath(t), Command(c)); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("the error repeats arguments or what the command said: %v", err)
	}
}

func TestLocksNeverPrint(t *testing.T) {
	t.Parallel()
	c := service("wrap", "unwrap")
	c.Wrap = append(c.Wrap, words)
	type holder struct {
		L     Lock
		inner Lock
		p     *Lock
	}
	var out strings.Builder
	for _, l := range []Lock{Passphrase([]byte(words)), Command(c), NoLock()} {
		h := holder{l, l, &l}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%c", "%b", "%t"} {
			for _, x := range []any{l, &l, h, &h, []Lock{l}, map[string]Lock{"l": l}} {
				fmt.Fprintf(&out, verb+"\n", x)
			}
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "l", l, "h", h)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "l", l, "h", h)
		for _, x := range []any{l, &l, h} {
			b, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(b)
		}
	}
	if strings.Count(out.String(), "[lock redacted] passphrase") < 20 {
		t.Fatal("nothing was printed")
	}
	for _, form := range []string{words, "horse", hex.EncodeToString([]byte("horse")), strings.ToUpper(hex.EncodeToString([]byte("horse"))), "104 111 114 115 101", "0x68, 0x6f"} {
		if strings.Contains(out.String(), form) {
			t.Errorf("a passphrase was printed as %q", form)
		}
	}
}

func BenchmarkPassphrase(b *testing.B) {
	lock := Passphrase([]byte(words))
	record := lockRecord{Kind: lockPassphrase, argonCost: shipped, Salt: make([]byte, saltSize)}
	for b.Loop() {
		if _, err := lock.find(b.Context(), record); err != nil {
			b.Fatal(err)
		}
	}
}
