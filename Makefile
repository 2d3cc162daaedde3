# SPDX-License-Identifier: AGPL-3.0-or-later
#
# The two commands: `make run` and `make test`. Needed: Go, git and make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TOOLS := $(CURDIR)/.tools

# Go needs a home for its caches; where there is none they live beside the tools.
ifeq ($(strip $(HOME)),)
export HOME := $(TOOLS)/home
export GOFLAGS := $(strip $(GOFLAGS) -modcacherw)
endif

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

# Built from the Go module proxy at this version; see docs/dependencies.md.
GOLANGCI_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
export GOLANGCI_LINT_CACHE := $(TOOLS)/golangci-lint-cache

# The race detector watches our code and what it shares with libraries, but not
# the inside of three packages that share nothing: SQLite, which is C made into
# Go, and the hashing of passwords. That makes the tests two to four times
# faster. Only packages that use no generic type of sync or sync/atomic may stand
# here: the linker takes such code from whichever package compiled it first, and
# all others would lose what tells the detector who waited for whom.
UNWATCHED := -gcflags=modernc.org/sqlite/lib=-race=false \
	-gcflags=golang.org/x/crypto/argon2=-race=false -gcflags=golang.org/x/crypto/blake2b=-race=false

.PHONY: help run build test lint pictures trial bench bench-stats drill vuln clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## Serve an invented practice on 127.0.0.1, nothing asked
	go run -buildvcs=false ./cmd/entente demo

build: ## Build the static binary bin/entente
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/entente ./cmd/entente

test: ## Install what the tests need, then run all of them
	@bash scripts/setup-tests
	@bash scripts/setup-pebble
	CGO_ENABLED=1 go test -race $(UNWATCHED) -shuffle=on -timeout 24m ./...

lint: $(GOLANGCI) ## Check format, go vet, golangci-lint
	@unformatted="$$(find . -name '*.go' -not -path '*/.*' -print0 | xargs -0 gofmt -l)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w mends it):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(GOLANGCI) run ./...

$(GOLANGCI):
	@echo "building golangci-lint $(GOLANGCI_VERSION), once: about two minutes"
	GOBIN=$(dir $@) CGO_ENABLED=0 go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

vuln: ## Ask the Go vulnerability database (vuln.go.dev) about what the program uses
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

pictures: ## Photograph the pages into docs/pictures
	@bash scripts/setup-tests
	ENTENTE_PICTURES=$(CURDIR)/docs/pictures go test ./cmd/entente -run 'TestPictures|TestJourney$$|TestConversationJourney|TestRiskJourney|TestWorkJourney|TestFirstRun|TestLost|TestIdle' -count=1

trial: ## Measure an import of your own file: make trial CSV=... MAP=...
	@bash scripts/setup-tests
	TRIAL_CSV=$(abspath $(CSV)) TRIAL_MAP=$(abspath $(MAP)) go test -tags trial ./cmd/entente -run TestTrial -count=1 -v

bench: ## Run every benchmark, then the server beside PocketBase (10 to 15 minutes)
	go test ./... -run '^$$' -bench . -benchmem
	cd bench && go run .

bench-stats: ## Set the statistics beside R in turn and put the table into docs/statistics.md (half an hour)
	cd bench && go run ./reach -into ../docs/statistics.md
	ENTENTE_DRILL=1 go test ./internal/analysis -run RCode -count=1 -v

drill: ## Break things at full size and put what was measured into docs/trust.md
	@bash scripts/setup-tests
	@bash scripts/setup-pebble
	@bash scripts/drill

clean: ## Remove what was built and the invented practice; the tools stay
	rm -rf bin .demo
