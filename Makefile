# Everything a person or CI does here. Each target installs or builds what it needs, or says what is missing.
.DEFAULT_GOAL := help
.PHONY: help run run-dapr test test-full bench lint fmt proto-breaking clean
SHELL := bash
CARGO ?= cargo
BUF := tools/buf/node_modules/.bin/buf

help: ## Says what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: cargo ## Builds the executable and runs everything in one process at http://localhost:8080
	@echo "Building (the first time takes some minutes) ..."
	@$(CARGO) build --release --locked -p todo
	@exec target/release/todo all

run-dapr: cargo dapr ## The same as on Kubernetes: four roles beside four daprds, with Redis and Postgres
	@echo "Building (the first time takes some minutes) ..."
	@$(CARGO) build --release --locked -p todo
	@exec dapr/run

test: cargo ## Runs what needs only the toolchain
	$(CARGO) build --locked -p todo
	$(CARGO) test --workspace --locked

test-full: cargo dapr ## Runs everything: real Postgres, Redis and daprd, process kills, the API fuzzed by its own description, MCP by two clients
	$(CARGO) build --locked -p todo
	CI=true $(CARGO) test --workspace --locked
	tools/schemathesis/run
	tools/mcp/run

bench: cargo ## Measures, each figure beside a reference in the same run
	$(CARGO) run --release --locked -p todo-bench

lint: cargo $(BUF) ## Format, lints, dependency rules, protos
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	tools/deny
	$(BUF) lint
	$(BUF) format --diff --exit-code --path proto/todo
	tools/buf/breaking

fmt: cargo ## Formats
	$(CARGO) fmt --all
	$(BUF) format -w --path proto/todo

$(BUF): tools/buf/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed for buf: install Node.js 20 or later"; exit 1; }
	# Not `npm ci`: it wants the packages of all platforms in the lock file, which some mirrors do not carry.
	npm install --prefix tools/buf --no-save --no-audit --no-fund
	@touch $@

.PHONY: cargo dapr
cargo:
	@command -v $(CARGO) >/dev/null || { echo "cargo is needed: install Rust 1.94 or later by https://rustup.rs"; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is needed for SQLite: install gcc or clang"; exit 1; }

dapr:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || tools/install postgresql
	@command -v redis-server >/dev/null || tools/install redis-server
	@ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || tools/install faketime
	@tools/daprd/build >/dev/null

clean: ## Removes what was built
	$(CARGO) clean
