# What one does with this repository. `make` lists it.

GOLANGCI_VERSION    := v2.15.0
GOVULNCHECK_VERSION := v1.8.0

PORT ?= 4566
ENV  ?= default

# The linker and build flags of what is deployed: 19 MB become 9. SAM hands the environment on to go build.
export_release = export CGO_ENABLED=0 GOFLAGS='-tags=lambda.norpc -trimpath "-ldflags=-s -w"'

LOCAL    := .local/bin/local
SAM      := .local/venv/bin/sam
CFN_LINT := .local/venv/bin/cfn-lint
CHECKOV  := .local/checkov/bin/checkov

# The race detector needs a C compiler; CI always has one.
RACE := $(if $(shell command -v "$$(go env CC)" 2>/dev/null),-race)

.DEFAULT_GOAL := help
.PHONY: help run test unit simulate storm bench fuzz mutants check environment build deploy invoke tools clean $(LOCAL)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(LOCAL) ## the application on this machine, with demonstration; ONCE=1 leaves after it, PORT= (4566)
	@exec $(LOCAL) up --port $(PORT) $(if $(filter-out 0 no false,$(ONCE)),--once)

test: $(LOCAL) ## everything: unit tests, adapters on the emulator, end to end on the deployed template
	@exec $(LOCAL) exec -- go test $(RACE) -shuffle=on -count=1 ./...

unit: ## the tests that need nothing but Go
	go test $(RACE) -shuffle=on ./...

simulate: ## histories of providers, outages and crashes under a virtual clock: N= (100000), SEED=
	@go run ./tools/simulate -n $(or $(N),100000) $(if $(SEED),-seed $(SEED))

storm: $(LOCAL) ## callbacks over HTTP while connections are cut, and a reckoning: COUNT= (3000), RATE= (50 a second), SEED=
	@exec $(LOCAL) exec -- go run ./tools/storm $(if $(COUNT),--count=$(COUNT)) $(if $(RATE),--rate=$(RATE)) $(if $(SEED),--seed=$(SEED))

bench: $(LOCAL) ## benchmarks in pairs, in turns, and their ratios; sizes, cold start, memory: ROUNDS= (10)
	@exec $(LOCAL) exec -- env ROUNDS=$(or $(ROUNDS),10) tools/bench.sh

fuzz: ## each fuzz target for TIME= (10s)
	@.ci/fuzz $(or $(TIME),10s)

mutants: $(LOCAL) ## break the code on purpose, see each breakage caught by a test: ONLY='part of a name'
	@exec $(LOCAL) exec -- go run ./tools/mutants $(if $(ONLY),-only '$(ONLY)')

check: tools $(CHECKOV) .local/bin/golangci-lint-$(GOLANGCI_VERSION) ## format, vet, linters, modules, template, known vulnerabilities
	@unformatted=$$(gofmt -l cmd examples functions pkg tools); test -z "$$unformatted" || { echo "gofmt -w $$unformatted"; exit 1; }
	go vet ./...
	.local/bin/golangci-lint-$(GOLANGCI_VERSION) run
	go mod tidy -diff
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint
	$(CFN_LINT) template.yaml examples/credit/template.yaml
	$(CHECKOV) --config-file .checkov.yaml
	@.ci/sizes
	@.ci/vulnerabilities $(GOVULNCHECK_VERSION)

build: environment tools ## the functions for Lambda, small; ENV=staging, ENV=production
	$(export_release); $(SAM) build --config-env $(ENV)

environment:
	@grep -q '^\[$(ENV)\.' samconfig.toml || { echo 'samconfig.toml has no environment "$(ENV)"'; exit 2; }

deploy: build ## build and deploy to AWS; ENV=staging, ENV=production
	$(SAM) deploy --config-env $(ENV)

invoke: $(LOCAL) ## one function in a container against the running stack: FUNCTION=cregis, EVENT=events/….json or - (Docker)
	@test -n "$(FUNCTION)" || { echo 'say which: make invoke FUNCTION=cregis (or pivot, consumer, sweeper, publisher)'; exit 2; }
	@exec $(LOCAL) invoke $(FUNCTION) $(if $(EVENT),--event='$(EVENT)')

tools: $(LOCAL) ## the SAM CLI, cfn-lint and the emulator, into .local/venv
	@$(LOCAL) tools

clean: ## remove everything built or installed here; the Go caches stay
	rm -rf .local .aws-sam

# Built and not `go run`: a SIGTERM would end `go run` alone.
$(LOCAL):
	@case "$$(uname -s)" in Linux|Darwin) ;; \
	*) echo "this needs Linux or macOS; on Windows use WSL 2 (here is $$(uname -s))" >&2; exit 1;; esac
	@env -u GOOS -u GOARCH go build -o $@ ./cmd/local

.local/bin/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN=$(CURDIR)/.local/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv .local/bin/golangci-lint $@

# The file is complete, and pip takes nothing that is not in it.
$(CHECKOV): requirements-check.txt
	rm -rf .local/checkov
	python3 -m venv .local/checkov
	.local/checkov/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-check.txt
	@touch $@
