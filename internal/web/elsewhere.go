// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// elsewhere counts what other sites sent, so that the log has a line a minute and
// not one for each: whoever sends them would fill it.
type elsewhere struct {
	mu     sync.Mutex
	logged time.Time
	since  int // refused since then
}

const elsewhereEvery = time.Minute

// take counts one and tells how many to log, 0 for none now.
func (e *elsewhere) take(now time.Time) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.since++
	if d := now.Sub(e.logged); d >= 0 && d < elsewhereEvery {
		return 0
	}
	n, e.since, e.logged = e.since, 0, now
	return n
}

// crossSite refuses what another site's page sends, and logs that it came: no
// address and no path, which may hold a secret.
func (s *Server) crossSite() *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := s.elsewhere.take(s.cfg.Now()); n > 0 {
			s.cfg.Log.LogAttrs(r.Context(), slog.LevelWarn, "requests from other sites were refused", slog.Int("requests", n))
		}
		http.Error(w, "cross-origin request refused", http.StatusForbidden)
	}))
	return p
}
