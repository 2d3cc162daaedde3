// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/care"
)

// TestSlowForm: a form that comes by the byte is given up, the line is closed,
// and its handler has met an error; one that is too long is refused before it has
// all come.
func TestSlowForm(t *testing.T) {
	t.Parallel()
	ps, err := parsedPages()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{pages: ps, cfg: Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now}, bodyLasts: 50 * time.Millisecond}
	met := make(chan error, 1)
	srv := httptest.NewServer(s.handle(route{"POST /x", anyone, func(c *call) error { err := c.parse(); met <- err; return err }}))
	t.Cleanup(srv.Close)
	for name, body := range map[string]string{"half a form": "a=1", "too long a form": strings.Repeat("a", 20<<10)} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 40000\r\n\r\n%s", body); err != nil {
			t.Fatal(err)
		}
		if err := <-met; care.CodeOf(err) != care.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		in := bufio.NewReader(conn)
		r, err := http.ReadResponse(in, nil)
		if err != nil || r.StatusCode < 400 || r.StatusCode >= 500 {
			t.Fatalf("%s: %v %v", name, r, err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := in.ReadByte(); err == nil {
			t.Errorf("%s: the line stays open", name)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
