// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/app"
)

// Config is what the server needs to know of the world.
type Config struct {
	BaseURL string // how people reach it, without a trailing slash; links are made from it
	Demo    bool   // serves /demo/TOKEN, which signs in without a password
	Log     *slog.Logger
	Now     func() time.Time
	Proxies []netip.Prefix // whose X-Forwarded-For is believed
}

// Server answers HTTP for one App.
type Server struct {
	app    *app.App
	cfg    Config
	secure bool // BaseURL is https: cookies get the __Host- prefix and Secure
	pages  pages

	bodyLasts time.Duration

	elsewhere elsewhere
	bringings bringings // files between preview and import
	pulse     wellness
}

// New builds the handler: routes, security headers, cross-site protection.
func New(a *app.App, cfg Config) (http.Handler, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	p, err := loadPages()
	if err != nil {
		return nil, err
	}
	s := &Server{app: a, cfg: cfg, secure: strings.HasPrefix(cfg.BaseURL, "https://"), pages: p, bodyLasts: bodyLasts}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.HandleFunc(r.pattern, s.handle(r))
	}
	return s.guard(mux), nil
}

// guard wraps every answer: cross-site requests are refused, nothing is cached,
// framed, sniffed or referred, and only our own files may run.
func (s *Server) guard(next http.Handler) http.Handler {
	next = s.crossSite().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "same-origin") // with no-referrer browsers send Origin: null, which cross-site protection must refuse
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// policy lets a page load its own styles, scripts and pictures and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types entente"
