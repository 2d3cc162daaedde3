// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
	"github.com/entente-project/entente/internal/web"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] != "serve" {
		log.Fatal("usage: profiled serve --data FOLDER --key FILE [--listen ADDRESS] [--database URL]")
	}
	f := flag.NewFlagSet("serve", flag.ExitOnError)
	data := f.String("data", "", "folder of the SQLite database")
	key := f.String("key", "", "the key file")
	listen := f.String("listen", "127.0.0.1:0", "address to listen on")
	database := f.String("database", "", "another database")
	_ = f.Parse(os.Args[2:]) // it exits by itself
	if *database == "" {
		*database = "sqlite:" + filepath.Join(*data, "entente.db")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	name := os.Getenv("BENCH_PROFILE")
	if name == "" {
		log.Fatal("BENCH_PROFILE must name the file of the profiles") //nolint:gocritic // nothing is open yet
	}
	go func() {
		if err := profiles(ctx, name); err != nil {
			log.Print("profile: ", err)
		}
	}()
	err := serve(ctx, *database, *key, *listen)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// profiles writes a profile of the processor's time from each SIGUSR1 to the
// SIGUSR2 after it, until ctx ends, and says so on standard output.
func profiles(ctx context.Context, name string) error {
	marks := make(chan os.Signal, 4)
	signal.Notify(marks, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(marks)
	var out *os.File
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case s := <-marks:
			if s == syscall.SIGUSR2 {
				pprof.StopCPUProfile()
				if err := out.Close(); err != nil {
					return err
				}
				fmt.Println("profile ends", out.Name())
				continue
			}
			n++
			var err error
			if out, err = os.Create(fmt.Sprintf("%s.%d", name, n)); err != nil { //nolint:gosec // whoever runs the benchmark says where
				return err
			}
			if err := pprof.StartCPUProfile(out); err != nil {
				return err
			}
			fmt.Println("profile begins", out.Name())
		}
	}
}

func serve(ctx context.Context, database, key, listen string) error {
	v, err := vault.Open(key)
	if errors.Is(err, vault.ErrNoKey) {
		v, err = vault.Create(key)
	}
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, database, v)
	if err != nil {
		return err
	}
	defer func() {
		if err := s.Close(); err != nil {
			slog.Error("closing", "err", err)
		}
	}()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	base, code := "http://"+l.Addr().String(), auth.NewToken().Text()[:12]
	a := app.New(s, app.Config{SetUpCode: code})
	h, err := web.New(a, web.Config{BaseURL: base})
	if err != nil {
		return err
	}
	fmt.Printf("profiled serves %s\n", base)
	empty, err := a.NeedsSetUp(ctx)
	if err != nil {
		return err
	}
	if empty {
		fmt.Printf("set up: %s/setup?code=%s\n", base, code)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		done <- srv.Shutdown(context.WithoutCancel(ctx))
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}
