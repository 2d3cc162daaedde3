// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

// head is the newest line of one chain.
type head struct {
	lane    int
	seq     int64
	link    []byte
	changes int64
}

const auditColumns = "audit_id, lane, seq, at_millis, actor_id, act, record_id, about_id, changes, link"

// Audit appends one line to one of the practice's chains and moves its head.
func (t *Tx) Audit(e care.AuditEntry) error {
	k, err := t.auditKey(e.Practice)
	if err != nil {
		return err
	}
	e.Lane = t.s.engine.lane()
	t.left.practice, t.left.line = e.Practice, e.ID
	h, err := one(t, func(r scanner) (h head, err error) { return h, r.Scan(&h.lane, &h.seq, &h.link, &h.changes) },
		"SELECT lane, seq, link, changes FROM audit_head WHERE practice_id = $1 AND lane = $2", e.Practice, e.Lane)
	if err != nil && care.CodeOf(err) != care.NotFound {
		return err
	}
	e.Seq = h.seq + 1
	if e.Changes {
		h.changes++
	}
	link := k.link(h.link, e)
	if _, err := t.exec("INSERT INTO audit (practice_id, "+auditColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		e.Practice, e.ID, e.Lane, e.Seq, e.AtMillis, e.Actor, e.Action, e.Record, e.About, e.Changes, link); err != nil {
		return err
	}
	if e.Seq == 1 {
		_, err = t.exec("INSERT INTO audit_head (practice_id, lane, seq, link, changes) VALUES ($1, $2, 1, $3, $4)", e.Practice, e.Lane, link, h.changes)
		return err
	}
	return t.changed("UPDATE audit_head SET seq = $1, link = $2, changes = $5 WHERE practice_id = $3 AND lane = $4", e.Seq, link, e.Practice, e.Lane, h.changes)
}

// auditKey makes the codes of a practice's audit.
type auditKey [32]byte

func (t *Tx) auditKey(practice care.ID) (auditKey, error) {
	k, err := t.key(practice, practiceKey)
	if err != nil {
		return auditKey{}, err
	}
	return k.Derive("audit"), nil
}

// link is the code of a line: over the code before it and every value of the
// line, each with its length, so that none can be shifted into another.
func (k auditKey) link(before []byte, e care.AuditEntry) []byte {
	mac := hmac.New(sha256.New, k[:])
	put := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		_, _ = mac.Write(n[:]) // hash.Hash never fails
		_, _ = io.WriteString(mac, s)
	}
	put(string(before))
	for _, v := range []string{string(e.Practice), string(e.ID), strconv.Itoa(e.Lane), strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.AtMillis, 10),
		string(e.Actor), e.Action, string(e.Record), string(e.About), strconv.FormatBool(e.Changes)} {
		put(v)
	}
	return mac.Sum(nil)
}

type chained struct {
	care.AuditEntry
	link []byte
}

func scanAudit(practice care.ID) func(scanner) (chained, error) {
	return func(r scanner) (c chained, err error) {
		c.Practice = practice
		return c, r.Scan(&c.ID, &c.Lane, &c.Seq, &c.AtMillis, &c.Actor, &c.Action, &c.Record, &c.About, &c.Changes, &c.link)
	}
}

// auditPage is how many lines are held at once while a chain is walked.
const auditPage = 5_000

func (t *Tx) heads(practice care.ID) ([]head, error) {
	return list(t, func(r scanner) (h head, err error) { return h, r.Scan(&h.lane, &h.seq, &h.link) },
		"SELECT lane, seq, link FROM audit_head WHERE practice_id = $1 ORDER BY lane", practice)
}

// AuditHead is a short text to be noted outside: how many lines each chain has,
// and the code of its newest. An audit that was cut, replaced or set back does
// not contain it.
func (t *Tx) AuditHead(practice care.ID) (string, error) {
	hs, err := t.heads(practice)
	parts := make([]string, 0, len(hs))
	for _, h := range hs {
		parts = append(parts, fmt.Sprintf("%d.%d.%s", h.lane, h.seq, hex.EncodeToString(h.link[:anchorBytes])))
	}
	return strings.Join(parts, "-"), err
}

const anchorBytes = 12

// noted are the codes of lines that were noted outside, by chain and line.
type noted map[int]map[int64][]byte

// add reads what AuditHead wrote.
func (n noted) add(text string) error {
	for part := range strings.SplitSeq(strings.TrimSpace(text), "-") {
		f := strings.Split(part, ".")
		if len(f) != 3 {
			return fmt.Errorf("%q is no head of an audit: it must be as it was printed", text)
		}
		lane, e1 := strconv.Atoi(f[0])
		seq, e2 := strconv.ParseInt(f[1], 10, 64)
		link, e3 := hex.DecodeString(f[2])
		if err := errors.Join(e1, e2, e3); err != nil || seq < 1 || len(link) != anchorBytes {
			return fmt.Errorf("%q is no head of an audit: it must be as it was printed", text)
		}
		if n[lane] == nil {
			n[lane] = map[int64][]byte{}
		}
		if old, twice := n[lane][seq]; twice && !hmac.Equal(old, link) {
			return fmt.Errorf("two noted heads differ in line %d of chain %d: one of them is of another audit", seq, lane)
		}
		n[lane][seq] = link
	}
	return nil
}

// VerifyAudit walks every chain of a practice and returns how many lines hold.
// Its error is a care.AuditFault for the first line that is not as it was
// written; heads are those noted earlier.
func (t *Tx) VerifyAudit(practice care.ID, heads []string) (lines int64, err error) {
	k, err := t.auditKey(practice)
	if err != nil {
		return 0, err
	}
	outside := noted{}
	for _, h := range heads {
		if err := outside.add(h); err != nil {
			return 0, err
		}
	}
	hs, err := t.heads(practice)
	if err != nil {
		return 0, err
	}
	if len(hs) == 0 {
		return 0, care.AuditFault{Practice: practice, What: care.NoAudit}
	}
	for _, h := range hs {
		n, err := t.verifyChain(k, practice, h, outside[h.lane])
		if err != nil {
			return lines, err
		}
		delete(outside, h.lane)
		lines += n
	}
	for lane, codes := range outside {
		return lines, care.AuditFault{Practice: practice, Lane: lane, Seq: slices.Max(slices.Collect(maps.Keys(codes))), What: care.NotAnchored}
	}
	stray, err := one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) }, "SELECT COUNT(*) FROM audit WHERE practice_id = $1", practice)
	if err == nil && stray != lines {
		return lines, care.AuditFault{Practice: practice, Seq: lines, What: care.HeadAltered}
	}
	return lines, err
}

func (t *Tx) verifyChain(k auditKey, practice care.ID, h head, outside map[int64][]byte) (int64, error) {
	var before []byte
	seq := int64(0)
	for {
		page, err := list(t, scanAudit(practice), "SELECT "+auditColumns+" FROM audit WHERE practice_id = $1 AND lane = $2 AND seq > $3 ORDER BY seq LIMIT $4", practice, h.lane, seq, auditPage)
		if err != nil {
			return seq, err
		}
		for _, c := range page {
			fault := care.AuditFault{Practice: practice, Lane: h.lane, Seq: seq + 1, ID: c.ID}
			switch {
			case c.Seq != seq+1:
				fault.What, fault.ID = care.LineMissing, ""
			case !hmac.Equal(c.link, k.link(before, c.AuditEntry)):
				fault.What = care.LineAltered
			case outside[c.Seq] != nil && !hmac.Equal(c.link[:anchorBytes], outside[c.Seq]):
				fault.What = care.NotAnchored
			}
			if fault.What != "" {
				return seq, fault
			}
			seq, before = c.Seq, c.link
		}
		if len(page) < auditPage {
			break
		}
	}
	newest := slices.Max(append(slices.Collect(maps.Keys(outside)), 0))
	switch fault := (care.AuditFault{Practice: practice, Lane: h.lane, Seq: seq + 1}); {
	case seq < h.seq:
		fault.What = care.TailCut
		return seq, fault
	case seq < newest:
		fault.What = care.NotAnchored
		return seq, fault
	case seq > h.seq, !hmac.Equal(before, h.link):
		fault.What, fault.Seq = care.HeadAltered, seq
		return seq, fault
	}
	return seq, nil
}

// AuditAbout lists what was done that is about a client, or about an episode the
// client is in, newest first.
func (t *Tx) AuditAbout(practice, client care.ID, limit int) ([]care.AuditEntry, error) {
	cs, err := list(t, scanAudit(practice), "SELECT "+auditColumns+` FROM audit WHERE practice_id = $1 AND (about_id = $2
			OR about_id IN (SELECT episode_id FROM episode_client WHERE practice_id = $1 AND client_id = $2))
		ORDER BY audit_id DESC LIMIT $3`, practice, client, limit)
	out := make([]care.AuditEntry, len(cs))
	for i, c := range cs {
		out[i] = c.AuditEntry
	}
	return out, err
}

// Changes is how many lines of the audit changed something. It grows with each
// such transaction that is committed, in whatever order and by whichever server.
func (t *Tx) Changes(practice care.ID) (int64, error) {
	return one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) },
		"SELECT CAST(COALESCE(SUM(changes), 0) AS BIGINT) FROM audit_head WHERE practice_id = $1", practice)
}
