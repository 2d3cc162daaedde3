// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestElsewhereIsLogged: what another site sends is refused and logged, a line a
// minute with how many, without its address, its path or what it held.
func TestElsewhereIsLogged(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	s := &Server{cfg: Config{Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))}}
	h := s.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was let through") }))
	for i := range 5 {
		if i == 4 {
			now = now.Add(elsewhereEvery)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/f/CANARY", strings.NewReader("token=CANARY"))
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("answered %d", w.Code)
		}
	}
	text := log.String()
	if strings.Count(text, "\n") != 2 || !strings.Contains(text, "requests=1") || !strings.Contains(text, "requests=4") || strings.Contains(text, "CANARY") || strings.Contains(text, "192.0.2.1") {
		t.Errorf("the log says %s", text)
	}
}
