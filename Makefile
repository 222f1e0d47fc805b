# Targets to run, test, check and deploy this application. `make` lists them.

GOLANGCI_VERSION    := v2.15.0
GOVULNCHECK_VERSION := v1.8.0

PORT ?= 4566
ENV  ?= default

# Build flags of the deployed functions; they reduce a binary from 19 MB to 9 MB. SAM passes the environment to go build.
export_release = export CGO_ENABLED=0 GOFLAGS='-tags=lambda.norpc -trimpath "-ldflags=-s -w"'

LOCAL    := .local/bin/local
SAM      := .local/venv/bin/sam
CFN_LINT := .local/venv/bin/cfn-lint
CHECKOV  := .local/checkov/bin/checkov

# The race detector needs a C compiler. CI has one.
RACE := $(if $(shell command -v "$$(go env CC)" 2>/dev/null),-race)

.DEFAULT_GOAL := help
.PHONY: help run test unit provider provider-check simulate storm bench fuzz mutants check environment build deploy generate invoke tools clean $(LOCAL)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(LOCAL) ## run the application on this machine and demonstrate it; ONCE=1 exits afterwards; PORT= (4566)
	@exec $(LOCAL) up --port $(PORT) $(if $(filter-out 0 no false,$(ONCE)),--once)

test: $(LOCAL) ## run all tests: unit, adapters on the emulator, end to end on the deployed template
	@exec $(LOCAL) exec -- go test $(RACE) -shuffle=on -count=1 -timeout=30m ./...

unit: ## run the tests that need only Go
	go test $(RACE) -shuffle=on ./...

provider: ## add a payment provider: NAME=acmepay, SCHEME=hmac or header-key (hmac); REMOVE=acmepay takes it out again
	@test -n "$(NAME)$(REMOVE)" || { echo 'NAME is required: make provider NAME=acmepay [SCHEME=hmac|header-key], or make provider REMOVE=acmepay'; exit 2; }
	@go run ./tools/provider $(if $(REMOVE),remove '$(REMOVE)',new '$(NAME)' '$(or $(SCHEME),hmac)')

provider-check: ## show which requirements of docs/providers/TEMPLATE.md a provider's tests show: NAME=pivot; JSON=1
	@test -n "$(NAME)" || { echo 'NAME is required: make provider-check NAME=pivot'; exit 2; }
	@go run ./tools/provider check $(NAME) $(if $(JSON),--json)

simulate: ## simulate providers, outages and crashes with a virtual clock: N= (100000), SEED=
	@go run ./tools/simulate -n $(or $(N),100000) $(if $(SEED),-seed $(SEED))

storm: $(LOCAL) ## send callbacks over HTTP while connections fail, then verify all records: COUNT= (3000), RATE= (50 per second), SEED=
	@exec $(LOCAL) exec -- go run ./tools/storm $(if $(COUNT),--count=$(COUNT)) $(if $(RATE),--rate=$(RATE)) $(if $(SEED),--seed=$(SEED))

bench: $(LOCAL) ## compare benchmarks in interleaved pairs; measure sizes, cold start, memory: ROUNDS= (10)
	@exec $(LOCAL) exec -- env ROUNDS=$(or $(ROUNDS),10) tools/bench.sh

fuzz: ## run each fuzz target for TIME= (10s)
	@.ci/fuzz $(or $(TIME),10s)

mutants: $(LOCAL) ## change the code in ways that a test must detect: ONLY='part of a name'
	@exec $(LOCAL) exec -- go run ./tools/mutants $(if $(ONLY),-only '$(ONLY)')

check: tools $(CHECKOV) .local/bin/golangci-lint-$(GOLANGCI_VERSION) ## check format, vet, linters, modules, templates, binary sizes, known vulnerabilities
	@unformatted=$$(gofmt -l cmd examples functions pkg tools); test -z "$$unformatted" || { echo "gofmt -w $$unformatted"; exit 1; }
	go vet ./...
	.local/bin/golangci-lint-$(GOLANGCI_VERSION) run
	go mod tidy -diff
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint
	$(CFN_LINT) template.yaml examples/credit/template.yaml
	@.ci/checkov $(CHECKOV)
	@.ci/sizes
	@.ci/vulnerabilities $(GOVULNCHECK_VERSION)

build: environment tools ## build the functions for Lambda: ENV=staging, ENV=production
	$(export_release); $(SAM) build --config-env $(ENV)

environment:
	@grep -q '^\[$(ENV)\.' samconfig.toml || { echo 'samconfig.toml has no environment "$(ENV)"'; exit 2; }

deploy: build ## build and deploy to AWS: ENV=staging, ENV=production
	$(SAM) deploy --config-env $(ENV)

generate: ## write the parts of template.yaml and documents that follow from the descriptions of the providers
	@go run ./tools/provider generate

invoke: $(LOCAL) ## invoke a function in a container (Docker) against the running stack: FUNCTION=cregis (or another folder of functions/), EVENT=events/….json or -
	@test -n "$(FUNCTION)" || { echo 'FUNCTION is required: make invoke FUNCTION=cregis (or another of: $(notdir $(wildcard functions/*)))'; exit 2; }
	@exec $(LOCAL) invoke $(FUNCTION) $(if $(EVENT),--event='$(EVENT)')

tools: $(LOCAL) ## install the SAM CLI, cfn-lint and the emulator into .local/venv
	@$(LOCAL) tools

clean: ## remove what was built or installed here, but not the Go caches
	rm -rf .local .aws-sam

# Built, because `go run` would not pass a SIGTERM on to the program.
$(LOCAL):
	@case "$$(uname -s)" in Linux|Darwin) ;; \
	*) echo "make needs Linux or macOS, and found $$(uname -s); on Windows use WSL 2" >&2; exit 1;; esac
	@env -u GOOS -u GOARCH go build -o $@ ./cmd/local

.local/bin/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN=$(CURDIR)/.local/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv .local/bin/golangci-lint $@

# The file pins every package, so pip installs nothing else.
$(CHECKOV): requirements-check.txt
	rm -rf .local/checkov
	python3 -m venv .local/checkov
	.local/checkov/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-check.txt
	@touch $@
