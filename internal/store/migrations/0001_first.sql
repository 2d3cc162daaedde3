-- SPDX-License-Identifier: AGPL-3.0-or-later
-- One text for SQLite and PostgreSQL: see docs/sql-rules.md.
-- +goose Up
CREATE TABLE practice (
  practice_id TEXT NOT NULL PRIMARY KEY,
  name BYTEA NOT NULL,
  language TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  created_millis BIGINT NOT NULL,
  idle_minutes BIGINT NOT NULL DEFAULT 0,
  longest_hours BIGINT NOT NULL DEFAULT 0,
  second_from_millis BIGINT NOT NULL DEFAULT 0,
  signal_rule TEXT NOT NULL DEFAULT '' -- which rule judges courses; empty: the program's own
);

-- What a practice tells whoever answers about help where they live.
CREATE TABLE local_help (
  practice_id TEXT NOT NULL REFERENCES practice,
  language TEXT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (practice_id, language)
);

-- What a practice's ended episodes say of an outcome scale: figures over all of
-- them, worked out when a manager asks for it.
CREATE TABLE expected_response (
  practice_id TEXT NOT NULL REFERENCES practice,
  instrument TEXT NOT NULL,
  scale TEXT NOT NULL,
  made_millis BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (practice_id, instrument, scale)
);

CREATE TABLE data_key (
  practice_id TEXT NOT NULL REFERENCES practice,
  key_id TEXT NOT NULL,
  wrapped BYTEA NOT NULL,
  created_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, key_id)
);

CREATE TABLE staff (
  practice_id TEXT NOT NULL REFERENCES practice,
  staff_id TEXT NOT NULL,
  name BYTEA NOT NULL,
  email BYTEA NOT NULL,
  email_index BYTEA NOT NULL,
  language TEXT NOT NULL,
  roles TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  second BYTEA,
  created_millis BIGINT NOT NULL,
  ended_millis BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (practice_id, staff_id)
);
CREATE UNIQUE INDEX staff_email ON staff (practice_id, email_index);

CREATE TABLE sign_in (
  practice_id TEXT NOT NULL,
  sign_in_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  created_millis BIGINT NOT NULL,
  expires_millis BIGINT NOT NULL,
  idle_millis BIGINT NOT NULL,
  kiosk_pin_hash TEXT NOT NULL,
  pin_failures BIGINT NOT NULL,
  device TEXT NOT NULL,
  waits BOOLEAN NOT NULL,
  proof TEXT NOT NULL,
  PRIMARY KEY (practice_id, sign_in_id),
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX sign_in_token ON sign_in (token_hash);

-- What a manager or the operator did to somebody's sign-ins; the reason is sealed.
CREATE TABLE staff_help (
  practice_id TEXT NOT NULL,
  help_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  by_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, help_id),
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX staff_help_staff ON staff_help (practice_id, staff_id, at_millis);

-- What an outside provider calls somebody, linked to their account. Issuer and
-- subject rest as a hash, by which the account is found.
CREATE TABLE staff_identity (
  practice_id TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  provider TEXT NOT NULL,
  email BYTEA NOT NULL,
  linked_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, identity_id),
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE UNIQUE INDEX staff_identity_token ON staff_identity (token_hash);
CREATE INDEX staff_identity_staff ON staff_identity (practice_id, staff_id, linked_millis);

-- Passkeys of staff. What a passkey calls itself rests as a hash, by which it is found.
CREATE TABLE staff_passkey (
  practice_id TEXT NOT NULL,
  passkey_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  body BYTEA NOT NULL,
  created_millis BIGINT NOT NULL,
  used_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, passkey_id),
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE UNIQUE INDEX staff_passkey_token ON staff_passkey (token_hash);
CREATE INDEX staff_passkey_staff ON staff_passkey (practice_id, staff_id, created_millis);

-- Attempts to come in by a provider or a passkey, for ten minutes; whose they are is not known
-- yet. Hashes only.
CREATE TABLE provider_flow (
  state_hash BYTEA NOT NULL PRIMARY KEY,
  browser_hash BYTEA NOT NULL,
  provider TEXT NOT NULL,
  for_practice TEXT NOT NULL,
  for_staff TEXT NOT NULL,
  for_sign_in TEXT NOT NULL,
  expires_millis BIGINT NOT NULL
);

CREATE TABLE staff_join (
  practice_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  expires_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, staff_id),
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX staff_join_token ON staff_join (token_hash);

-- Counts attempts, not people: keys are hashes, rows are swept when their window is over.
CREATE TABLE throttle (
  bucket TEXT NOT NULL,
  window_millis BIGINT NOT NULL,
  hits BIGINT NOT NULL,
  PRIMARY KEY (bucket, window_millis)
);
-- Each try sweeps what is over; without it tries from many addresses read them all.
CREATE INDEX throttle_window ON throttle (window_millis);

-- What belongs to the servers of one database and to no practice. None of it is
-- in a backup or a copy: it is made anew where it is missing.
-- A lease lets one of several servers do what must be done once.
CREATE TABLE lease (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  until_millis BIGINT NOT NULL
);

-- Certificates with their keys, the account at the authority, answers to its
-- challenges; each sealed under a data key of its own.
CREATE TABLE server_secret (
  name TEXT NOT NULL PRIMARY KEY,
  wrapped BYTEA NOT NULL,
  secret BYTEA NOT NULL
);

-- One row: when a backup was last made and read back, and when one last failed.
CREATE TABLE backup_state (
  name TEXT NOT NULL PRIMARY KEY,
  made_millis BIGINT NOT NULL,
  took_millis BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  failed_millis BIGINT NOT NULL,
  every_millis BIGINT NOT NULL
);

CREATE TABLE client (
  practice_id TEXT NOT NULL REFERENCES practice,
  client_id TEXT NOT NULL,
  label BYTEA NOT NULL,
  email BYTEA NOT NULL,
  reference BYTEA NOT NULL,
  reference_index BYTEA,
  age_band TEXT NOT NULL,
  language TEXT NOT NULL,
  created_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, client_id)
);
CREATE UNIQUE INDEX client_reference ON client (practice_id, reference_index);

CREATE TABLE episode (
  practice_id TEXT NOT NULL REFERENCES practice,
  episode_id TEXT NOT NULL,
  orientation TEXT NOT NULL,
  setting TEXT NOT NULL,
  forms TEXT NOT NULL,
  rhythms TEXT NOT NULL DEFAULT '', -- of forms that are not asked at every session
  opened_on TEXT NOT NULL,
  closed_on TEXT NOT NULL,
  created_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, episode_id)
);

-- Covers the caseload's question which episodes are open.
CREATE INDEX episode_open ON episode (practice_id, episode_id, closed_on);

-- How a client stands in an episode is kept ready here, sealed: lists of hundreds
-- read it without going through every response. It is out of date while
-- standing_of is not changes: an answer only counts a change, and whoever looks
-- next works the standing out.
CREATE TABLE episode_client (
  practice_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  last_millis BIGINT NOT NULL DEFAULT 0,
  changes BIGINT NOT NULL DEFAULT 0,
  standing_of BIGINT NOT NULL DEFAULT 0,
  standing BYTEA,
  PRIMARY KEY (practice_id, episode_id, client_id),
  FOREIGN KEY (practice_id, episode_id) REFERENCES episode,
  FOREIGN KEY (practice_id, client_id) REFERENCES client
);
CREATE INDEX episode_client_client ON episode_client (practice_id, client_id, episode_id);

-- Covers the caseload's question which episode is the newest, without touching bodies.
CREATE INDEX episode_client_last ON episode_client (practice_id, episode_id, client_id, last_millis);

CREATE TABLE episode_staff (
  practice_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  relation TEXT NOT NULL,
  PRIMARY KEY (practice_id, episode_id, staff_id, relation),
  FOREIGN KEY (practice_id, episode_id) REFERENCES episode,
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX episode_staff_staff ON episode_staff (practice_id, staff_id, episode_id, relation);

CREATE TABLE session (
  practice_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  status TEXT NOT NULL,
  review BOOLEAN NOT NULL DEFAULT FALSE, -- every form is asked, whatever its rhythm
  PRIMARY KEY (practice_id, session_id),
  FOREIGN KEY (practice_id, episode_id) REFERENCES episode
);
CREATE INDEX session_episode ON session (practice_id, episode_id, at_millis);
CREATE INDEX session_at ON session (practice_id, at_millis);

CREATE TABLE invitation (
  practice_id TEXT NOT NULL,
  invitation_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  person_id TEXT NOT NULL, -- the carer who answers; empty: the client
  channel TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  visit_hash BYTEA,
  created_millis BIGINT NOT NULL,
  expires_millis BIGINT NOT NULL,
  revoked_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, invitation_id),
  FOREIGN KEY (practice_id, session_id) REFERENCES session,
  FOREIGN KEY (practice_id, client_id) REFERENCES client
);
CREATE INDEX invitation_token ON invitation (token_hash);
CREATE INDEX invitation_visit ON invitation (visit_hash);
CREATE INDEX invitation_session ON invitation (practice_id, session_id);

CREATE TABLE response (
  practice_id TEXT NOT NULL,
  response_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  by_id TEXT NOT NULL,
  informant TEXT NOT NULL,
  instrument TEXT NOT NULL,
  version BIGINT NOT NULL,
  language TEXT NOT NULL,
  answered_millis BIGINT NOT NULL,
  import_id TEXT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (practice_id, response_id),
  FOREIGN KEY (practice_id, session_id) REFERENCES session,
  FOREIGN KEY (practice_id, client_id) REFERENCES client
);
-- One answer to one form by one person for one session; also the way a course is read.
CREATE UNIQUE INDEX response_once ON response (practice_id, episode_id, client_id, session_id, instrument, by_id);

CREATE TABLE session_note (
  practice_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  note BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, note_id),
  FOREIGN KEY (practice_id, session_id) REFERENCES session,
  FOREIGN KEY (practice_id, episode_id, client_id) REFERENCES episode_client,
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX session_note_episode ON session_note (practice_id, episode_id, at_millis);

-- What a practice waits for before a minor is asked anything; no row: nothing. Rows
-- are only added, and the newest holds, so that it stays known what held when.
CREATE TABLE consent_rule (
  practice_id TEXT NOT NULL REFERENCES practice,
  seq BIGINT NOT NULL,
  holders TEXT NOT NULL,
  own_age BIGINT NOT NULL,
  assent_age BIGINT NOT NULL,
  review_ages TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, seq)
);

-- A practice's texts to be agreed to; wording, never anything about a person. A row
-- never changes: records are read by it. Versions of one edition say the same.
CREATE TABLE consent_text (
  practice_id TEXT NOT NULL REFERENCES practice,
  kind TEXT NOT NULL,
  version BIGINT NOT NULL,
  edition BIGINT NOT NULL,
  words TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, kind, version)
);

-- When a client was born, and up to which age access to them was reviewed; sealed.
CREATE TABLE birth (
  practice_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (practice_id, client_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client
);

-- Who else is asked how the work with a child or adolescent is for them. Who they are
-- is sealed with the client's key.
CREATE TABLE carer (
  practice_id TEXT NOT NULL,
  carer_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  body BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  ended_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, carer_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client
);
CREATE INDEX carer_client ON carer (practice_id, client_id);

-- Who consents for a client, and in what right.
CREATE TABLE consent_holder (
  practice_id TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  capacity TEXT NOT NULL,
  name BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, holder_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client
);
CREATE UNIQUE INDEX consent_holder_once ON consent_holder (practice_id, client_id, capacity);

-- What somebody said, and to which version; rows are only added. The note is sealed
-- with all the other columns as its place.
CREATE TABLE consent_record (
  practice_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  version BIGINT NOT NULL,
  language TEXT NOT NULL,
  state TEXT NOT NULL,
  how TEXT NOT NULL,
  by_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  at_millis BIGINT NOT NULL,
  note BYTEA NOT NULL,
  PRIMARY KEY (practice_id, record_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client
);
CREATE UNIQUE INDEX consent_record_order ON consent_record (practice_id, client_id, seq);

-- A person's own way to the texts that concern them. Hashes only.
CREATE TABLE consent_link (
  practice_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  visit_hash BYTEA,
  created_millis BIGINT NOT NULL,
  expires_millis BIGINT NOT NULL,
  revoked_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, link_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client
);
CREATE INDEX consent_link_token ON consent_link (token_hash);
CREATE INDEX consent_link_visit ON consent_link (visit_hash);
CREATE INDEX consent_link_client ON consent_link (practice_id, client_id, person_id);

-- What came of a signal, with the verdict as it was shown.
CREATE TABLE conversation (
  practice_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  content BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, conversation_id),
  FOREIGN KEY (practice_id, session_id) REFERENCES session,
  FOREIGN KEY (practice_id, episode_id, client_id) REFERENCES episode_client,
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX conversation_episode ON conversation (practice_id, episode_id, at_millis);

-- Ends of episodes: one that went on again has several.
CREATE TABLE closing (
  practice_id TEXT NOT NULL,
  closing_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  content BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, closing_id),
  FOREIGN KEY (practice_id, episode_id, client_id) REFERENCES episode_client,
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX closing_episode ON closing (practice_id, episode_id, at_millis);

-- Goals and tasks: each wording is a row, and none is changed.
CREATE TABLE agreed (
  practice_id TEXT NOT NULL,
  agreed_id TEXT NOT NULL,
  item_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  content BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, agreed_id),
  FOREIGN KEY (practice_id, episode_id, client_id) REFERENCES episode_client,
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX agreed_episode ON agreed (practice_id, episode_id, client_id, at_millis);

-- What a client said of them after a session.
CREATE TABLE work_report (
  practice_id TEXT NOT NULL,
  report_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  content BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, report_id),
  UNIQUE (practice_id, session_id, client_id),
  FOREIGN KEY (practice_id, session_id) REFERENCES session,
  FOREIGN KEY (practice_id, episode_id, client_id) REFERENCES episode_client
);
CREATE INDEX work_report_episode ON work_report (practice_id, episode_id, client_id, at_millis);

-- Answers that somebody must look at now. The mark, under the client's key, keeps
-- the same items of the same form in one session from being told of twice.
CREATE TABLE risk_signal (
  practice_id TEXT NOT NULL,
  risk_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  mark BYTEA NOT NULL,
  content BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  step BIGINT NOT NULL DEFAULT 0,
  seen_by TEXT NOT NULL DEFAULT '',
  seen_millis BIGINT NOT NULL DEFAULT 0,
  done BYTEA,
  PRIMARY KEY (practice_id, risk_id),
  UNIQUE (practice_id, client_id, session_id, mark),
  FOREIGN KEY (practice_id, session_id) REFERENCES session,
  FOREIGN KEY (practice_id, episode_id, client_id) REFERENCES episode_client
);
CREATE INDEX risk_signal_open ON risk_signal (practice_id, seen_millis, at_millis);
CREATE INDEX risk_signal_episode ON risk_signal (practice_id, episode_id, at_millis);

-- Who looks after such answers. owner_id and deputy_id are of staff, or empty.
CREATE TABLE risk_duty (
  practice_id TEXT NOT NULL PRIMARY KEY REFERENCES practice,
  owner_id TEXT NOT NULL,
  deputy_id TEXT NOT NULL,
  hours BIGINT NOT NULL,
  alone BYTEA,
  test_millis BIGINT NOT NULL,
  tested_millis BIGINT NOT NULL
);

-- Mails that must go out, kept until a mail server has taken them. about_id is a
-- risk signal's, or empty.
CREATE TABLE alarm_mail (
  practice_id TEXT NOT NULL,
  mail_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  about_id TEXT NOT NULL,
  due_millis BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  sent_millis BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (practice_id, mail_id),
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX alarm_mail_due ON alarm_mail (practice_id, sent_millis, due_millis);

CREATE TABLE page_read (
  practice_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, staff_id, episode_id, client_id)
);

CREATE TABLE reveal (
  practice_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, staff_id, session_id)
);

-- Access to a client who is not one's own: reason sealed with the client's key.
CREATE TABLE emergency (
  practice_id TEXT NOT NULL,
  emergency_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  reason BYTEA NOT NULL,
  at_millis BIGINT NOT NULL,
  until_millis BIGINT NOT NULL,
  ended_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, emergency_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client,
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX emergency_client ON emergency (practice_id, client_id, staff_id, until_millis);
CREATE INDEX emergency_staff ON emergency (practice_id, staff_id, until_millis);

-- Who is told of it, and when each of them said that they had seen it (0: not yet).
CREATE TABLE emergency_notice (
  practice_id TEXT NOT NULL,
  emergency_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  seen_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, emergency_id, staff_id),
  FOREIGN KEY (practice_id, emergency_id) REFERENCES emergency,
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX emergency_notice_staff ON emergency_notice (practice_id, staff_id, seen_millis);

-- Who was erased, in numbers and without a word. The rows are gone with this one
-- made; destroyed_millis is when the key followed, 0 until then.
CREATE TABLE erasure (
  practice_id TEXT NOT NULL REFERENCES practice,
  client_id TEXT NOT NULL,
  by_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  destroyed_millis BIGINT NOT NULL,
  episodes BIGINT NOT NULL,
  shared BIGINT NOT NULL,
  sessions BIGINT NOT NULL,
  responses BIGINT NOT NULL,
  notes BIGINT NOT NULL,
  invitations BIGINT NOT NULL,
  PRIMARY KEY (practice_id, client_id)
);

-- Whose records a member of staff opened in the last hour; older rows are swept.
-- The row without a client is what servers wait for, so that they count together.
CREATE TABLE opened (
  practice_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, staff_id, client_id),
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);

-- Somebody opened the records of unusually many clients in an hour; who is told
-- of it, and when each of them said that they had seen it (0: not yet).
CREATE TABLE pull (
  practice_id TEXT NOT NULL,
  pull_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  clients BIGINT NOT NULL,
  PRIMARY KEY (practice_id, pull_id),
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX pull_staff ON pull (practice_id, staff_id, at_millis);

CREATE TABLE pull_notice (
  practice_id TEXT NOT NULL,
  pull_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  seen_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, pull_id, staff_id),
  FOREIGN KEY (practice_id, pull_id) REFERENCES pull,
  FOREIGN KEY (practice_id, staff_id) REFERENCES staff
);
CREATE INDEX pull_notice_staff ON pull_notice (practice_id, staff_id, seen_millis);

-- Each line carries a code over itself and the line before it, under a key that
-- is not in the database. Several chains (lanes) let PostgreSQL write at once.
CREATE TABLE audit (
  practice_id TEXT NOT NULL,
  audit_id TEXT NOT NULL,
  lane BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  at_millis BIGINT NOT NULL,
  actor_id TEXT NOT NULL,
  act TEXT NOT NULL,
  record_id TEXT NOT NULL,
  about_id TEXT NOT NULL,
  changes BOOLEAN NOT NULL,
  link BYTEA NOT NULL,
  PRIMARY KEY (practice_id, audit_id)
);
CREATE UNIQUE INDEX audit_chain ON audit (practice_id, lane, seq);
CREATE INDEX audit_about ON audit (practice_id, about_id, audit_id);

-- changes counts the lines of the chain that changed something: by it every
-- server sees that another has written, whatever their clocks say.
CREATE TABLE audit_head (
  practice_id TEXT NOT NULL,
  lane BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  changes BIGINT NOT NULL,
  link BYTEA NOT NULL,
  PRIMARY KEY (practice_id, lane)
);

-- Instruments a practice brought itself; wording and key, never anything about a
-- person. published_millis is 0 for one that came with an import and is not asked.
-- A row never changes: responses are read by it.
CREATE TABLE practice_instrument (
  practice_id TEXT NOT NULL REFERENCES practice,
  instrument TEXT NOT NULL,
  version BIGINT NOT NULL,
  definition TEXT NOT NULL,
  published_millis BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (practice_id, instrument, version)
);

-- Forms being written; wording and key, never anything about a person. revision
-- grows with each save, so that two tabs notice each other.
CREATE TABLE instrument_draft (
  practice_id TEXT NOT NULL REFERENCES practice,
  draft_id TEXT NOT NULL,
  instrument TEXT NOT NULL,
  base BIGINT NOT NULL,
  form TEXT NOT NULL,
  revision BIGINT NOT NULL,
  staff_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  PRIMARY KEY (practice_id, draft_id)
);

-- On what ground a practice uses an instrument's words; details (by whom, when, a
-- note), file and reason are sealed under the practice's key. One is in force.
CREATE TABLE instrument_grant (
  practice_id TEXT NOT NULL REFERENCES practice,
  grant_id TEXT NOT NULL,
  instrument TEXT NOT NULL,
  ground TEXT NOT NULL,
  details BYTEA NOT NULL,
  file_kind TEXT NOT NULL,
  file BYTEA,
  staff_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  ended_millis BIGINT NOT NULL,
  ended_by TEXT NOT NULL,
  reason BYTEA,
  PRIMARY KEY (practice_id, grant_id)
);

CREATE UNIQUE INDEX instrument_grant_in_force ON instrument_grant (practice_id, instrument) WHERE ended_millis = 0;

-- Files that were imported, so that a person can see what came from where.
CREATE TABLE import (
  practice_id TEXT NOT NULL REFERENCES practice,
  import_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  at_millis BIGINT NOT NULL,
  file BYTEA NOT NULL,
  responses BIGINT NOT NULL,
  PRIMARY KEY (practice_id, import_id)
);
