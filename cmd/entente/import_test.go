// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestImportCommand: a long import tells how far it is; interrupted it keeps
// nothing, run to its end it keeps all, and again it changes nothing.
func TestImportCommand(t *testing.T) {
	t.Parallel()
	l := live(t, "")
	if err := l.store.Close(); err != nil { // the command is the one program that writes
		t.Fatal(err)
	}
	var csv strings.Builder
	csv.WriteString("c;t;b\n")
	for i := range 4_000 {
		fmt.Fprintf(&csv, "K%d;%s;%d,0\n", i%200, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i/200).Format("2006-01-02"), i%9)
	}
	file, mapped := filepath.Join(l.dir, "earlier.csv"), filepath.Join(l.dir, "map.yaml")
	for name, text := range map[string]string{file: csv.String(), mapped: "client: c\ntime: {column: t, format: iso}\ninstrument: session-client-adult\nitems: {bond1: b}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"import", file, "--map=" + mapped, "--data=" + l.dir, "--key=" + l.key}
	before := l.contents(t)

	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	told, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	for part := make([]byte, 256); !strings.Contains(said.String(), "saving: "); {
		n, err := told.Read(part)
		said.Write(part[:n])
		if err != nil {
			t.Fatalf("no progress was told before the end: %q", said.String())
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := said.ReadFrom(told); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(said.String(), "stopped; nothing was imported") {
		t.Errorf("interrupted: %v, %q", err, said.String())
	}
	if after := l.contents(t); !maps.Equal(before, after) {
		t.Error("an interrupted import leaves something")
	}

	for _, want := range []string{"imported 4000 ratings (200 new clients, 4000 new sessions); 0 known", "imported 0 ratings (0 new clients, 0 new sessions); 4000 known"} {
		if out, ok := command(t, args...); !ok || !strings.Contains(out, want) {
			t.Fatalf("%q is not in %q", want, out)
		}
	}
	if out, ok := command(t, append(args, "--dry-run")...); !ok || !strings.Contains(out, "would import 0 ratings") {
		t.Error(out)
	}
}
