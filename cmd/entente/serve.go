// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/web"
)

type serveCommand struct {
	place         `embed:""`
	mailFlags     `embed:""`
	backupFlags   `embed:""`
	tlsFlags      `embed:""`
	providerFlags `embed:""`
	Proxy         []string `help:"Address or network of a proxy in front, such as 127.0.0.1 or 10.0.0.0/8; from it the header X-Forwarded-For is believed, so that failed sign-ins are counted by the caller's address and not by the proxy's."`
	AlertClients  int      `help:"How many different clients one person may open in an hour before the practice's managers are told, from 10 to 400." default:"40"`
	Anchor        string   `help:"File to which the head of the audit is added each hour; best where this server cannot change it again, such as a share that only appends." type:"path"`
}

// Validate refuses a number of clients that would alarm each day, or never.
func (c *serveCommand) Validate() error {
	if c.AlertClients < app.LeastPull || c.AlertClients > app.MostPull {
		return fmt.Errorf("--alert-clients %d: give a number from %d to %d", c.AlertClients, app.LeastPull, app.MostPull)
	}
	return nil
}

// Run serves until it is interrupted.
func (c *serveCommand) Run(ctx context.Context) error {
	if c.BackupTo != "" { // better now than in the night
		if _, err := c.recipient(); err != nil {
			return err
		}
	}
	c.beside(c.BackupTo)
	if os.Getenv("GOGC") == "" {
		// What is alive is small beside what each request leaves behind: a heap of 20 MB
		// would be looked through every few hundred requests.
		debug.SetGCPercent(200)
	}
	// First of all, for a hang-up that nobody awaits ends the program.
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	lock, err := c.lock()
	if err != nil {
		return err
	}
	defer lock.Clear()
	v, s, err := c.openWith(ctx, lock, true)
	if err != nil {
		return err
	}
	defer func() {
		if err := s.Close(); err != nil {
			slog.Error("closing", "err", err)
		}
	}()
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	f, err := c.front(ctx, s, log)
	if err != nil {
		return err
	}
	base := f.base
	m, err := c.mailer(base)
	if err != nil {
		return err
	}
	code := auth.NewToken().Text()
	providers, err := c.providers(time.Now)
	if err != nil {
		return err
	}
	a := app.New(s, app.Config{Mail: m, SetUpCode: code, Log: log, Providers: providers, PullClients: c.AlertClients})
	proxies, err := networks(c.Proxy)
	if err != nil {
		return err
	}
	h, err := web.New(a, web.Config{BaseURL: base, Log: log, Proxies: proxies})
	if err != nil {
		return err
	}
	f.listen = limitCrowd(f.listen, proxies)
	if f.plain != nil {
		f.plain = limitCrowd(f.plain, proxies)
	}
	fmt.Printf("entente %s serves %s\n", version, base)
	if f.say != "" {
		fmt.Println(f.say)
	}
	empty, err := a.NeedsSetUp(ctx)
	if err != nil {
		return err
	}
	if empty {
		fmt.Printf("key: %s (%s). Keep a copy of it apart from the database: without it nothing can be read.\n", c.Key, v.Fingerprint())
		fmt.Printf("set up: %s/setup?code=%s\n", base, code)
	}
	ctx, stop := context.WithCancel(ctx)
	var jobs sync.WaitGroup
	defer func() { stop(); jobs.Wait() }()
	jobs.Go(func() { followKey(ctx, again, c.place, lock, v, s, log) })
	jobs.Go(func() { watchErasures(ctx, v, s, log) })
	if c.BackupTo != "" {
		k := &keeper{backupFlags: c.backupFlags, id: rand.Text(), vault: v, store: s, log: log, now: time.Now}
		jobs.Go(func() { k.schedule(ctx) })
	}
	jobs.Go(func() { anchorAudit(ctx, a, c.Anchor, log) })
	jobs.Go(func() { watchSound(ctx, s, log) })
	jobs.Go(func() { a.KeepAlarms(ctx) })
	return f.serve(ctx, h, log)
}

// networks reads addresses and networks.
func networks(texts []string) (out []netip.Prefix, err error) {
	for _, t := range texts {
		if a, err := netip.ParseAddr(t); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, fmt.Errorf("--proxy: %q is neither an address like 127.0.0.1 nor a network like 10.0.0.0/8", t)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
