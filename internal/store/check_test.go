// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

// unsealed are columns of bytes that are no sealed values: codes, and what the
// servers can make anew.
var unsealed = []string{"token_hash", "visit_hash", "email_index", "reference_index", "link", "wrapped", "secret", "mark"}

// only drops whether something was added.
func only(_ bool, err error) error { return err }

func (b *bench) check() (done int64, found []care.Damaged) {
	b.t.Helper()
	done, err := b.s.Check(b.ctx, func(int64) error { return nil }, func(d care.Damaged) error {
		found = append(found, d)
		return nil
	})
	must(b.t, err)
	return done, found
}

// TestCheck alters one value of each sealed column there is, so that a column
// which Check forgets is noticed here: it names that record and no other.
func TestCheck(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		grant := care.Grant{ID: "0190-grant-1", Practice: here.ID, Instrument: "phq-9", Ground: care.PublicDomain, Note: "CANARY", FileKind: "text/plain", File: []byte("CANARY"), By: neri.ID, EndedMillis: 2, EndedBy: neri.ID, EndReason: "CANARY"}
		b.write(func(tx *Tx) error {
			return errors.Join(tx.AddGrant(grant), tx.EndGrant(grant),
				tx.AddConversation(therapy.ID, care.Conversation{ID: "0190-talk-1", Practice: here.ID, Session: first.ID, Client: anna.ID, Staff: neri.ID, Content: care.ConversationContent{Choice: care.Talked, Said: "CANARY"}}),
				only(tx.CloseEpisode(care.Closing{ID: "0190-end-1", Practice: here.ID, Episode: therapy.ID, Client: anna.ID, Staff: neri.ID, AtMillis: 5, Content: care.ClosingContent{Reason: care.NotKnown, Words: "CANARY"}}, "2026-09-12")),
				tx.AddAgreed(care.Agreed{ID: "0190-goal-1", Practice: here.ID, Item: "0190-goal-1", Episode: therapy.ID, Client: anna.ID, Staff: neri.ID, Kind: care.GoalKind, AtMillis: 5, Content: care.AgreedContent{Words: "CANARY"}}),
				only(tx.AddWorkReport(care.WorkReport{ID: "0190-report-1", Practice: here.ID, Episode: therapy.ID, Session: first.ID, Client: anna.ID, AtMillis: 5, Items: []care.WorkItemReport{{Item: "0190-goal-1", WhyNot: "CANARY"}}})),
				only(tx.AddRisk(care.RiskSignal{ID: "0190-risk-1", Practice: here.ID, Episode: therapy.ID, Session: first.ID, Client: anna.ID, AtMillis: 5, Content: care.RiskContent{Instrument: "CANARY", Items: []string{"9"}}})),
				only(tx.SeeRisk(care.RiskSignal{ID: "0190-risk-1", Practice: here.ID, Episode: therapy.ID, Session: first.ID, Client: anna.ID, AtMillis: 5, SeenBy: neri.ID, SeenMillis: 6, Done: "CANARY"})),
				tx.SetRiskDuty(care.RiskDuty{Practice: here.ID, Hours: 4, Alone: "CANARY"}),
				tx.AddCarer(care.Carer{ID: "0190-carer-1", Practice: here.ID, Client: anna.ID, Content: care.CarerContent{Label: "CANARY", Relation: care.Parent, Language: "en"}}),
				failure(tx.AddConsentHolder(care.ConsentHolder{ID: "0190-holder-1", Practice: here.ID, Client: anna.ID, Capacity: care.AsHolder1, Name: "CANARY"})),
				tx.SetBirth(care.Birth{Practice: here.ID, Client: anna.ID, Born: "2012-03-04"}),
				tx.AddConsentRecord(care.ConsentRecord{ID: "0190-consent-1", Practice: here.ID, Client: anna.ID, Person: "0190-holder-1", Kind: care.ToTreatment, State: care.CourtOrder, Note: "CANARY"}),
				tx.PutSecond(here.ID, neri.ID, &care.Second{Secret: "CANARY"}),
				tx.AddHelp(care.Help{ID: "0190-help-1", Practice: here.ID, Staff: neri.ID, By: neri.ID, Kind: care.EndedSignIns, Reason: "CANARY"}),
				failure(tx.AddIdentity(care.Identity{ID: "0190-identity-1", Practice: here.ID, Staff: neri.ID, TokenHash: []byte("hash"), Provider: "p", Email: "CANARY"})),
				failure(tx.AddPasskey(care.Passkey{ID: "0190-passkey-1", Practice: here.ID, Staff: neri.ID, TokenHash: []byte("hash"), Name: "CANARY", Credential: []byte("{}")})),
				tx.AddEmergency(care.Emergency{ID: "0190-need-1", Practice: here.ID, Client: bruno.ID, Staff: neri.ID, Reason: "CANARY"}, nil))
		})
		done, found := b.check()
		if len(found) > 0 || done < 15 || b.s.Damage() != nil {
			t.Fatalf("of %d values these are damaged: %v", done, found)
		}
		tried := 0
		for table, columns := range b.schema() {
			if slices.Contains(ofServer, table) {
				continue
			}
			for _, c := range columns {
				if c.Type != "bytea" && c.Type != "blob" || slices.Contains(unsealed, c.Name) {
					continue
				}
				tried++
				where := " WHERE practice_id = '" + string(here.ID) + "' AND " + c.Name + " IS NOT NULL"
				good := b.bytes("SELECT " + c.Name + " FROM " + table + where + " ORDER BY " + c.Name + " LIMIT 1")
				bad := append([]byte{}, good...)
				bad[len(bad)/2] ^= 4
				put := "UPDATE " + table + " SET " + c.Name + " = $1 WHERE " + c.Name + " = $2"
				b.sql(put, bad, good)
				n, found := b.check()
				if n != done || len(found) != 1 || found[0].Table != table || found[0].Column != c.Name || found[0].Practice != here.ID {
					t.Errorf("%s.%s: %d values, found %v", table, c.Name, n, found)
				}
				var count care.Unopened
				if !errors.As(b.s.Damage(), &count) || count != 1 {
					t.Errorf("%s.%s: %v", table, c.Name, b.s.Damage())
				}
				if table == "response" && !strings.Contains(found[0].String(), "of client "+string(anna.ID)+", session of 1970-01-01 00:00 UTC") {
					t.Errorf("the record is named %s", found[0])
				}
				b.sql(put, good, bad)
			}
		}
		if tried < 11 {
			t.Errorf("%d columns were tried", tried)
		}
		b.sql("UPDATE data_key SET wrapped = $1 WHERE key_id = $2", []byte{1, 2, 3}, clientKey(bruno.ID))
		if _, found := b.check(); len(found) != 1 || found[0].Row != care.ID(clientKey(bruno.ID)) {
			t.Errorf("a key: %v", found)
		}
	})
}

// TestCheckStops: it pages through more rows than one batch, and an error of
// whoever is told ends it.
func TestCheckStops(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite")
	b.settle()
	b.write(func(tx *Tx) error {
		for n := range 2*checkBatch + 7 {
			x := answer(care.ID("r-"+string(rune('A'+n/676%26))+string(rune('a'+n/26%26))+string(rune('a'+n%26))), first)
			x.Instrument = string(x.ID)
			if _, err := tx.AddResponse(x); err != nil {
				return err
			}
		}
		return nil
	})
	done, found := b.check()
	if len(found) != 0 || done < 2*checkBatch+7 {
		t.Errorf("%d values, %v", done, found)
	}
	stopped := 0
	_, err := b.s.Check(b.ctx, func(done int64) error {
		if done < checkBatch {
			return nil
		}
		stopped++
		return context.Canceled
	}, func(care.Damaged) error { return nil })
	if !errors.Is(err, context.Canceled) || stopped != 1 {
		t.Errorf("stopped %d times: %v", stopped, err)
	}
}

// TestSetAside: a list goes on without what does not open only for whoever asks
// what that was.
func TestSetAside(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		b.sql("UPDATE response SET content = $1 WHERE response_id = '0190-r-1'", []byte("\x01\x01 altered altered altered altered"))
		var rs []care.Response
		var told []care.Damaged
		must(t, b.s.Read(b.ctx, func(tx *Tx) (err error) {
			rs, err = tx.Responses(here.ID, therapy.ID, anna.ID)
			told = tx.Damaged()
			return err
		}))
		if len(rs) != 1 || rs[0].ID != "0190-r-2" || len(told) != 1 || told[0].Row != "0190-r-1" || told[0].Session != first.ID || told[0].Client != anna.ID {
			t.Errorf("%d responses, told %v", len(rs), told)
		}
		for name, err := range map[string]error{
			"read": b.s.Read(b.ctx, func(tx *Tx) error { _, err := tx.Responses(here.ID, therapy.ID, anna.ID); return err }),
			"write": b.s.Write(b.ctx, func(tx *Tx) error {
				tx.Damaged() // before: of nothing yet
				_, err := tx.Responses(here.ID, therapy.ID, anna.ID)
				return err
			}),
		} {
			tampered(t, "a "+name+" that does not ask", err, "response", "0190-r-1", "content")
		}
	})
}

func failure(_ bool, err error) error { return err }
