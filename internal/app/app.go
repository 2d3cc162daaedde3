// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/care"
)

// Tx is what one transaction of the store offers. Each part is declared beside
// the use cases that need it.
type Tx interface {
	practiceTx
	staffTx
	signInTx
	secondTx
	rulesTx
	localHelpTx
	helpTx
	endingTx
	providerTx
	kioskTx
	joinTx
	clientTx
	episodeTx
	sessionTx
	noteTx
	responseTx
	invitationTx
	visitTx
	standingTx
	auditTx
	importTx
	backupTx
	emergencyTx
	emergencyListTx
	erasureTx
	damagedTx
	libraryTx
	pullTx
	conversationTx
	grantTx
	askingTx
	ownTx
	expectedTx
	rhythmTx
	draftTx
	passkeyTx
	riskTx
	workTx
	closingTx
	practiceViewTx
	alarmTx
	consentRuleTx
	consentTx
	consentLinkTx
	birthTx
	carerTx
}

// Transactor runs a function in one transaction: Read on one snapshot, Write
// durable on return or without effect.
type Transactor[T Tx] interface {
	Read(ctx context.Context, f func(T) error) error
	Write(ctx context.Context, f func(T) error) error
	Health(ctx context.Context) error
	Damage() error
	DestroyKey(ctx context.Context, practice, client care.ID, nowMillis int64) error
}

// Mailer sends the one message there is: a neutral one with a link in it.
type Mailer interface {
	// SendLink sends token's link to an address. Errors: care unavailable.
	SendLink(ctx context.Context, to, language, token string) error
}

// Config is what App needs besides a store. Zero values are filled in.
type Config struct {
	Now       func() time.Time
	NewID     func() care.ID
	Mail      Mailer // nil: mailing is not set up
	SetUpCode string // must be given to set the practice up
	Log       *slog.Logger
	Providers []Provider // by which staff may come in as well

	SignInLasts time.Duration // of every sign-in, instead of what its practice says; for the demo
	PullClients int           // opened by one person in an hour, from which managers are told; 0: UsualPull
}

// App holds the use cases.
type App struct {
	cfg     Config
	read    func(context.Context, func(Tx) error) error
	write   func(context.Context, func(Tx) error) error
	health  func(context.Context) error
	damage  func() error
	destroy func(ctx context.Context, practice, client care.ID, nowMillis int64) error

	woken chan struct{} // that a mail waits to go out

	defined sync.Map // instruments a practice brought, by practice/id@version: they never change
}

// New builds the use cases over a store.
func New[T Tx](s Transactor[T], cfg Config) *App {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = func() care.ID { return care.ID(uuid.Must(uuid.NewV7()).String()) }
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.PullClients == 0 {
		cfg.PullClients = UsualPull
	}
	cfg.PullClients = min(max(cfg.PullClients, LeastPull), MostPull)
	return &App{
		cfg:  cfg,
		read: func(ctx context.Context, f func(Tx) error) error { return s.Read(ctx, func(t T) error { return f(t) }) },
		write: func(ctx context.Context, f func(Tx) error) error {
			return s.Write(ctx, func(t T) error { return f(t) })
		},
		woken:   make(chan struct{}, 1),
		health:  s.Health,
		damage:  s.Damage,
		destroy: s.DestroyKey,
	}
}

// Health reports whether answers can be kept: nil, or unavailable.
func (a *App) Health(ctx context.Context) error { return a.health(ctx) }

// Damage is what the last check of the whole database found, nil if nothing.
func (a *App) Damage() error { return a.damage() }

func (a *App) nowMillis() int64 { return a.cfg.Now().UnixMilli() }

// auditTx writes the log of what was done.
type auditTx interface {
	Audit(e care.AuditEntry) error
	Changes(practice care.ID) (int64, error)
	AuditAbout(practice, client care.ID, limit int) ([]care.AuditEntry, error)
	AuditHead(practice care.ID) (string, error)
	VerifyAudit(practice care.ID, heads []string) (int64, error)
}

// audit notes that actor did something to record, which is about a client or an
// episode ("" for none); changes says that it wrote.
func (a *App) audit(tx Tx, actor care.Actor, action string, record, about care.ID, changes bool) error {
	by := actor.Staff
	if by == "" {
		by = actor.Invitation
	}
	if by == "" {
		by = actor.Consent
	}
	return tx.Audit(care.AuditEntry{
		ID: a.cfg.NewID(), Practice: actor.Practice, AtMillis: a.nowMillis(), Actor: by, Action: action, Record: record, About: about, Changes: changes,
	})
}

// Pulse is a number that changes when anything in the practice has changed. It
// is not audited: it says nothing about anybody.
func (a *App) Pulse(ctx context.Context, actor care.Actor) (n int64, err error) {
	if err := care.May(actor, care.SeeOwnWork); err != nil {
		return 0, err
	}
	err = a.read(ctx, func(tx Tx) error {
		n, err = tx.Changes(actor.Practice)
		return err
	})
	return n, err
}

// permit decides an action on an episode for a member of staff.
func (a *App) permit(tx Tx, actor care.Actor, action care.Action, episode care.ID) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	relation, err := tx.Relation(actor.Practice, episode, actor.Staff)
	if err != nil {
		return err
	}
	if care.MayIn(actor, action, relation) == nil {
		return nil
	}
	switch open, err := tx.InEmergency(actor.Practice, episode, actor.Staff, a.nowMillis()); {
	case err != nil:
		return err
	case open && (relation == care.NoRelation || care.MayIn(actor, action, care.InNeedOf) == nil):
		relation = care.InNeedOf
	}
	return care.MayIn(actor, action, relation)
}
