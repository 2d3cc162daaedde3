// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

func main() {
	dir := flag.String("dir", "", "folder of the data")
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	email := flag.String("email", "", "address of the one user that is made")
	password := flag.String("password", "", "the user's password")
	flag.Parse()

	// PocketBase reads the command line by itself, wherever it is built in.
	os.Args = []string{os.Args[0], "serve", "--http=" + *listen, "--dir=" + *dir}
	app := pocketbase.NewWithConfig(pocketbase.Config{HideStartBanner: true, DBConnect: durable})
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // it would open a browser
		if err := furnish(e.App, *email, *password); err != nil {
			return fmt.Errorf("set PocketBase up: %w", err)
		}
		return e.Next()
	})
	app.OnRecordCreateRequest("responses").BindFunc(accept)
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// durable is PocketBase's own way to open SQLite but for synchronous, which it
// sets to NORMAL: that loses acknowledged rows when the power goes.
func durable(path string) (*dbx.DB, error) {
	return dbx.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)")
}

// furnish makes the collections and the user, once. It also turns off the log of
// requests, which PocketBase writes into a second database by default.
func furnish(app core.App, email, password string) error {
	if _, err := app.FindCollectionByNameOrId("responses"); err == nil {
		return nil
	}
	s := app.Settings()
	s.Logs.MaxDays = 0
	if err := app.Save(s); err != nil {
		return err
	}
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	u := core.NewRecord(users)
	u.SetEmail(email)
	u.SetPassword(password)
	if err := app.Save(u); err != nil {
		return err
	}
	own := types.Pointer("@request.auth.id != '' && owner = @request.auth.id")
	clients := core.NewBaseCollection("clients")
	clients.Fields.Add(
		&core.TextField{Name: "label", Required: true, Max: 200},
		&core.RelationField{Name: "owner", CollectionId: users.Id, Required: true, MaxSelect: 1},
	)
	clients.ListRule, clients.ViewRule, clients.CreateRule = own, own, own
	if err := app.Save(clients); err != nil {
		return err
	}
	return app.Save(responses(clients.Id))
}

// responses holds what Entente keeps of a response, in plain text.
func responses(clients string) *core.Collection {
	c := core.NewBaseCollection("responses")
	c.Fields.Add(
		&core.RelationField{Name: "client", CollectionId: clients, Required: true, MaxSelect: 1},
		&core.TextField{Name: "session", Required: true, Max: 64},
		&core.TextField{Name: "instrument", Required: true, Max: 64},
		&core.NumberField{Name: "version", Required: true, OnlyInt: true},
		&core.JSONField{Name: "answers", MaxSize: 16 << 10},
		&core.TextField{Name: "comment", Max: 2000},
		&core.JSONField{Name: "scores", MaxSize: 16 << 10},
		&core.AutodateField{Name: "created", OnCreate: true},
	)
	c.AddIndex("response_once", true, "client, session, instrument", "")
	rule := types.Pointer("@request.auth.id != '' && client.owner = @request.auth.id")
	c.ListRule, c.ViewRule, c.CreateRule = rule, rule, rule
	return c
}

// accept checks the answers against the instrument and scores them, with the
// very code that Entente uses.
func accept(e *core.RecordRequestEvent) error {
	in, ok := library.GetVersion(e.Record.GetString("instrument"), e.Record.GetInt("version"))
	if !ok {
		return e.BadRequestError("There is no such form.", nil)
	}
	var answers instrument.Answers
	if err := e.Record.UnmarshalJSONField("answers", &answers); err != nil {
		return e.BadRequestError("The answers cannot be read.", err)
	}
	if err := in.Check(answers); err != nil {
		return e.BadRequestError("An answer does not fit.", err)
	}
	type score struct {
		Scale string  `json:"scale"`
		Value float64 `json:"value"`
		OK    bool    `json:"ok"`
	}
	var out []score
	for _, s := range in.Score(answers) {
		x := score{Scale: s.Scale, OK: s.OK}
		if s.OK {
			x.Value = s.Value
		}
		out = append(out, x)
	}
	e.Record.Set("scores", out)
	return e.Next()
}
