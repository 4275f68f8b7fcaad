# `make demo` shows Atoll, `make test` proves it; `make help` lists the rest.
#
# cargo and go know what is up to date; for the rest the files named as targets do.
# A second run of any target builds nothing that has not changed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Cheap checks come before dear ones, also under `make -j`.
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

# Never with -p: whole-workspace features are the same in every command, so nothing is built twice.
CARGO := cargo
LOCKED := --locked
PROGRAMS := target/kubernetes
NEWEST := $(PROGRAMS)/v1.36
OLDEST := $(PROGRAMS)/v1.33
N := 3
# Parts of the benchmarks; all when there is none.
PARTS :=

NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
WEB_PACKAGES := web/node_modules/.package-lock.json
TYPE_PACKAGES := web/tools/api-types/node_modules/.package-lock.json
CONSOLE := web/dist/index.html
CONSOLE_SOURCES := $(shell find web/src web/public web/scripts web/index.html web/vite.config.ts web/tsconfig.json -type f)

## What most people want

.PHONY: help demo test
help: ## Lists the targets
	@awk -F ':.*## ' '/^## / { print "\n" substr($$0, 4) } \
		/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The debug binary: optimising all of it would keep a stranger waiting about three times as long.
demo: needs-to-build $(CONSOLE) ## Builds what is needed and runs the hub with four simulated clusters
	$(CARGO) build $(LOCKED) --bin atoll
	exec target/debug/atoll demo

test: install formatted console-checked $(CONSOLE) linted documented unit-tested clusters-tested ## Runs every test there is, cheap ones first

## Building

.PHONY: build console install needs-to-build
build: needs-to-build $(CONSOLE) ## Builds target/release/atoll with the console inside
	$(CARGO) build $(LOCKED) --release --bin atoll

console: needs-to-build $(CONSOLE) ## Builds the console into web/dist

install: ## Installs what a new machine lacks to build and to test
	@scripts/install-packages.sh test
	@$(MAKE) --no-print-directory --silent $(WEB_PACKAGES) $(TYPE_PACKAGES)

needs-to-build:
	@scripts/install-packages.sh build

$(WEB_PACKAGES): web/package.json web/package-lock.json web/.npmrc
	cd web && $(NPM_CI)
	@touch $@

$(TYPE_PACKAGES): web/tools/api-types/package.json web/tools/api-types/package-lock.json
	cd web/tools/api-types && $(NPM_CI)
	@touch $@

$(CONSOLE): $(WEB_PACKAGES) $(CONSOLE_SOURCES)
	cd web && npm run --silent build
	@touch $@

## Checking

.PHONY: check formatted console-checked linted documented unit-tested clusters-tested format
check: formatted linted unit-tested ## Checks format, lints and everything that needs no cluster: minutes

format: $(WEB_PACKAGES) ## Formats all code
	$(CARGO) fmt --all
	cd web && npm run --silent format

formatted:
	$(CARGO) fmt --all --check

console-checked: $(WEB_PACKAGES) $(TYPE_PACKAGES)
	cd web && npm run --silent check
	cd web/tools/api-types && npm run --silent check

linted:
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings

documented:
	RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' $(CARGO) doc $(LOCKED) --workspace --no-deps --document-private-items --quiet

# Some tests run kubectl; some run the program itself, which cargo builds together with them.
unit-tested: export INSTA_UPDATE := no
unit-tested: kubernetes $(CONSOLE)
	$(CARGO) test $(LOCKED) --workspace --lib --bins
	$(CARGO) test $(LOCKED) --workspace --test it
	$(CARGO) test $(LOCKED) --workspace --doc

# The story is told with the program as people run it, without what only tests switch on.
clusters-tested: kubernetes kubernetes-oldest kubefedctl $(CONSOLE)
	$(CARGO) build $(LOCKED) --bin atoll
	$(CARGO) test $(LOCKED) --workspace --test clusters --test story --test federation

## Real clusters

.PHONY: kubernetes kubernetes-oldest kubefedctl clusters bench
kubernetes: ## Builds the programs of the newest Kubernetes into target/kubernetes
	testing/kubernetes/build.sh $(NEWEST)

kubernetes-oldest: ## Builds the servers of the oldest Kubernetes that members may run
	testing/kubernetes/build.sh $(OLDEST) oldest

kubefedctl: ## Builds KubeFed's command line, which works on the hub too
	testing/kubernetes/build.sh $(PROGRAMS)/kubefedctl kubefedctl

clusters: kubernetes ## Runs N=3 clusters on this machine and prints their kubeconfigs
	$(CARGO) run $(LOCKED) --bin clusters -- --clusters $(N)

bench: build kubernetes ## Measures memory, forwarding and federation at scale; PARTS="bulk faults" measures some of it
	$(CARGO) bench $(LOCKED) --bench hub -- $(PARTS)

## What is generated and checked in

.PHONY: openapi schemas
openapi: $(TYPE_PACKAGES) ## Writes the OpenAPI documents and the console's types
	$(CARGO) build $(LOCKED) --bin atoll
	target/debug/atoll openapi console > openapi/console.json
	cd web/tools/api-types && npm run --silent generate

schemas: kubernetes ## Writes what the hub knows of Kubernetes' built-in types, from a real API server
	$(CARGO) run $(LOCKED) --bin schemas
