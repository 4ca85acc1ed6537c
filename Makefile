# Everything a person or CI does here. Each target installs or builds what it needs, or says what is missing.
.DEFAULT_GOAL := help
.PHONY: help run run-dapr page test test-full bench lint fmt image dist chart-lint chart-docs test-k8s clean
SHELL := bash
CARGO ?= cargo
BUF := tools/buf/node_modules/.bin/buf
PAGE := frontend/out/index.html
PAGE_TOOLS := frontend/node_modules/.package-lock.json

help: ## Says what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: cargo $(PAGE) ## Builds the executable and runs everything in one process at http://localhost:8080
	@echo "Building (the first time takes some minutes) ..."
	@$(CARGO) build --release --locked -p todo --features ui
	@exec target/release/todo all

run-dapr: cargo dapr $(PAGE) ## The same as on Kubernetes: four roles beside four daprds, with Redis and Postgres
	@echo "Building (the first time takes some minutes) ..."
	@$(CARGO) build --release --locked -p todo --features ui
	@exec dapr/run

page: $(PAGE) ## Builds the page that the feature `ui` embeds

test: cargo ## Runs what needs only the toolchain
	$(CARGO) build --locked -p todo
	$(CARGO) test --workspace --locked

test-full: cargo dapr $(PAGE) chromium ## Runs everything: real Postgres, Redis and daprd, process kills, the API fuzzed by its own description, MCP by two clients, the page in a browser
	$(CARGO) build --locked -p todo
	CI=true $(CARGO) test --workspace --locked
	tools/schemathesis/run
	tools/mcp/run
	npm --prefix frontend test
	$(CARGO) build --locked -p todo --features ui
	npm --prefix frontend run e2e
	$(MAKE) chart-lint

bench: cargo $(PAGE) chromium ## Measures, each figure beside a reference in the same run
	$(CARGO) run --release --locked -p todo-bench
	$(CARGO) build --release --locked -p todo --features ui
	npm --prefix frontend run bench

lint: cargo $(BUF) $(PAGE_TOOLS) ## Format, lints, dependency rules, protos, types of the page
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	tools/deny
	$(BUF) lint
	$(BUF) format --diff --exit-code --path proto/todo
	tools/buf/breaking
	npm --prefix frontend run lint

fmt: cargo $(BUF) $(PAGE_TOOLS) ## Formats
	$(CARGO) fmt --all
	$(BUF) format -w --path proto/todo
	npm --prefix frontend run format

image: ## Builds the image localhost/todo:dev (IMAGE) with docker, podman or buildah; TODO=target/release/todo copies a ready executable
	@tools/image

dist: cargo $(PAGE) ## An archive of the executable and all licences, in target/
	@tools/dist

chart-lint: go yaml ## Checks the Containerfile and the Helm chart: hadolint, helm lint, schemas of Kubernetes, Dapr and Prometheus, unit tests, alerts, dashboards, README, the workflow
	tools/hadolint
	tools/helm/lint

test-k8s: go yaml chromium $(PAGE_TOOLS) ## Tries the chart on the cluster of the current kubectl context; K8S_LOAD="minikube image load" loads the image
	@tools/k8s/run

chart-docs: ## Writes the chart's README from the comments in its values.yaml
	tools/helm/readme >helm/todo-chatbot/README.md

$(BUF): tools/buf/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed for buf: install Node.js 20 or later"; exit 1; }
	# Not `npm ci`: it wants the packages of all platforms in the lock file, which some mirrors do not carry.
	npm install --prefix tools/buf --no-save --no-audit --no-fund
	@touch $@

$(PAGE_TOOLS): frontend/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed for the page: install Node.js 20.9 or later"; exit 1; }
	npm install --prefix frontend --no-save --no-audit --no-fund
	@touch $@

$(PAGE): $(PAGE_TOOLS) $(filter-out %/next-env.d.ts %.tsbuildinfo,$(wildcard frontend/*.* frontend/build/*)) $(shell find frontend/src frontend/worker frontend/public proto/todo -type f -not -path '*/gen/*')
	npm --prefix frontend run build
	@touch $@

.PHONY: cargo dapr chromium go yaml
go:
	@command -v go >/dev/null || tools/install golang

yaml:
	@/usr/bin/python3 -c 'import yaml' 2>/dev/null || tools/install python3-yaml

chromium:
	@command -v "$${CHROMIUM:-chromium}" >/dev/null || tools/install chromium

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
	rm -rf frontend/out frontend/.next
