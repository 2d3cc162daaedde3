// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"slices"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

// AddPractice stores a new practice and its data key.
func (t *Tx) AddPractice(p care.Practice) error {
	k, wrapped, err := t.s.vault.NewKey(keyPlace(p.ID, practiceKey))
	if err != nil {
		return err
	}
	c := newCell(k, p.ID, "practice", p.ID, "")
	name := c.seal("name", []byte(p.Name))
	if err := c.err(); err != nil {
		return err
	}
	if _, err := t.exec("INSERT INTO practice (practice_id, name, language, time_zone, created_millis) VALUES ($1, $2, $3, $4, $5)",
		p.ID, name, p.Language, p.TimeZone, p.CreatedMillis); err != nil {
		return err
	}
	t.hold(p.ID, practiceKey, k)
	_, err = t.exec("INSERT INTO data_key (practice_id, key_id, wrapped, created_millis) VALUES ($1, $2, $3, $4)", p.ID, practiceKey, wrapped, p.CreatedMillis)
	return err
}

// Practices lists every practice of this database, oldest first; in a transaction
// of one practice only that.
func (t *Tx) Practices() ([]care.Practice, error) {
	if t.reach.practice == "" {
		if err := t.AcrossPractices(); err != nil {
			return nil, err
		}
	}
	rows, err := list(t, scanPractice, "SELECT "+practiceColumns+" FROM practice ORDER BY created_millis, practice_id")
	if err != nil {
		return nil, err
	}
	if t.reach.way == "" {
		rows = slices.DeleteFunc(rows, func(x practiceRow) bool { return x.p.ID != t.reach.practice })
	}
	var out []care.Practice
	for _, x := range rows {
		p, err := t.openPractice(x)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Practice returns one practice.
func (t *Tx) Practice(id care.ID) (care.Practice, error) {
	x, err := one(t, scanPractice, "SELECT "+practiceColumns+" FROM practice WHERE practice_id = $1", id)
	if err != nil {
		return care.Practice{}, err
	}
	return t.openPractice(x)
}

const practiceColumns = "practice_id, name, language, time_zone, created_millis, idle_minutes, longest_hours, second_from_millis"

type practiceRow struct {
	p    care.Practice
	name []byte
}

func scanPractice(r scanner) (x practiceRow, err error) {
	return x, r.Scan(&x.p.ID, &x.name, &x.p.Language, &x.p.TimeZone, &x.p.CreatedMillis, &x.p.Rules.IdleMinutes, &x.p.Rules.LongestHours, &x.p.Rules.SecondFromMillis)
}

func (t *Tx) openPractice(x practiceRow) (care.Practice, error) {
	c, err := t.cell(x.p.ID, practiceKey, "practice", x.p.ID, "")
	if err != nil {
		return care.Practice{}, err
	}
	x.p.Name = string(c.open("name", x.name))
	return x.p, t.s.fault("open", c.err())
}

func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// AddStaff stores a member of staff: conflict when the address is taken.
func (t *Tx) AddStaff(s care.Staff) error {
	c, err := t.cell(s.Practice, practiceKey, "staff", s.ID, "")
	if err != nil {
		return err
	}
	name, email := c.seal("name", []byte(s.Name)), c.seal("email", []byte(s.Email))
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO staff (practice_id, staff_id, name, email, email_index, language, roles, password_hash, created_millis)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.Practice, s.ID, name, email, c.key.Index("staff.email", normalEmail(s.Email)), s.Language, joinRoles(s.Roles), s.PasswordHash, s.CreatedMillis)
	return err
}

func joinRoles(roles []care.Role) string {
	var s []string
	for _, r := range roles {
		s = append(s, string(r))
	}
	return strings.Join(s, ",")
}

func splitRoles(s string) (out []care.Role) {
	for r := range strings.SplitSeq(s, ",") {
		if r != "" {
			out = append(out, care.Role(r))
		}
	}
	return out
}

const staffColumns = "practice_id, staff_id, name, email, language, roles, password_hash, created_millis, ended_millis"

type staffRow struct {
	s           care.Staff
	name, email []byte
}

func scanStaff(r scanner) (x staffRow, err error) {
	var roles string
	err = r.Scan(&x.s.Practice, &x.s.ID, &x.name, &x.email, &x.s.Language, &roles, &x.s.PasswordHash, &x.s.CreatedMillis, &x.s.EndedMillis)
	x.s.Roles = splitRoles(roles)
	return x, err
}

func (t *Tx) openStaff(x staffRow) (care.Staff, error) {
	c, err := t.cell(x.s.Practice, practiceKey, "staff", x.s.ID, "")
	if err != nil {
		return care.Staff{}, err
	}
	x.s.Name, x.s.Email = string(c.open("name", x.name)), string(c.open("email", x.email))
	return x.s, t.s.fault("open", c.err())
}

// Staff returns one member of staff.
func (t *Tx) Staff(practice, id care.ID) (care.Staff, error) {
	x, err := one(t, scanStaff, "SELECT "+staffColumns+" FROM staff WHERE practice_id = $1 AND staff_id = $2", practice, id)
	if err != nil {
		return care.Staff{}, err
	}
	return t.openStaff(x)
}

// NamedStaff is Staff for a page that goes on without a name: what of theirs does
// not open is left empty, and set aside.
func (t *Tx) NamedStaff(practice, id care.ID) (care.Staff, error) {
	s, err := t.Staff(practice, id)
	if s.ID == "" {
		return s, err
	}
	return s, t.setAside(err, care.Damaged{Practice: practice})
}

// StaffByEmail finds a member of staff by address, ignoring case.
func (t *Tx) StaffByEmail(practice care.ID, email string) (care.Staff, error) {
	k, err := t.key(practice, practiceKey)
	if err != nil {
		return care.Staff{}, err
	}
	x, err := one(t, scanStaff, "SELECT "+staffColumns+" FROM staff WHERE practice_id = $1 AND email_index = $2", practice, k.Index("staff.email", normalEmail(email)))
	if err != nil {
		return care.Staff{}, err
	}
	return t.openStaff(x)
}

// AllStaff lists a practice's staff, oldest first.
func (t *Tx) AllStaff(practice care.ID) ([]care.Staff, error) {
	rows, err := list(t, scanStaff, "SELECT "+staffColumns+" FROM staff WHERE practice_id = $1 ORDER BY created_millis, staff_id", practice)
	if err != nil {
		return nil, err
	}
	var out []care.Staff
	for _, x := range rows {
		s, err := t.openStaff(x)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// SetPassword changes a password hash: not_found for an account that has ended.
func (t *Tx) SetPassword(practice, staff care.ID, hash string) error {
	return t.changed("UPDATE staff SET password_hash = $3 WHERE practice_id = $1 AND staff_id = $2 AND ended_millis = 0", practice, staff, hash)
}

// SetStaffLanguage changes the language of a person's pages.
func (t *Tx) SetStaffLanguage(practice, staff care.ID, language string) error {
	return t.changed("UPDATE staff SET language = $3 WHERE practice_id = $1 AND staff_id = $2", practice, staff, language)
}
