// SPDX-License-Identifier: AGPL-3.0-or-later

package certificate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// hearing keeps the last reason that the authority gave for a refusal: autocert
// says only that no kind of challenge is left.
type hearing struct {
	next http.RoundTripper

	mu   sync.Mutex
	last string
}

// problem is where RFC 8555 puts a reason: in a refusal itself (section 6.7), in
// an order, or in a challenge of an authorization.
type problem struct {
	Detail     string
	Error      *struct{ Detail string }
	Challenges []struct{ Error *struct{ Detail string } }
}

// aProblem is more than any of them has.
const aProblem = 64 << 10

// RoundTrip sends a request on and reads what comes back.
func (h *hearing) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := h.next.RoundTrip(r)
	if err != nil {
		h.hear("the authority could not be asked: " + err.Error())
		return nil, err
	}
	if !strings.Contains(answer.Header.Get("Content-Type"), "json") {
		return answer, nil
	}
	start, err := io.ReadAll(io.LimitReader(answer.Body, aProblem))
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), answer.Body), answer.Body}
	if err != nil {
		return answer, nil //nolint:nilerr // whoever reads the body meets it again
	}
	var p problem
	if json.Unmarshal(start, &p) != nil {
		return answer, nil //nolint:nilerr // no reason of ours to read; autocert says what is wrong with it
	}
	// A nonce that was used up is asked for again and no reason.
	if p.Detail != "" && answer.StatusCode >= http.StatusBadRequest && !bytes.Contains(start, []byte("badNonce")) {
		h.hear(saying(p.Detail))
	}
	if p.Error != nil {
		h.hear(saying(p.Error.Detail))
	}
	for _, c := range p.Challenges {
		if c.Error != nil {
			h.hear(saying(c.Error.Detail))
		}
	}
	return answer, nil
}

func saying(detail string) string {
	return fmt.Sprintf("the authority says %q", strings.TrimSpace(detail))
}

func (h *hearing) hear(why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = why
}

func (h *hearing) forget() { h.hear("") }

// said gives the last reason since forget; "" for none.
func (h *hearing) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}
