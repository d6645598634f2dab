# Everything that is done with this project; `make help` lists it.
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
PYTHON ?= python3
BIN := .venv/bin
TOOLS := chromium:chromium nginx:nginx-light redis-server:redis-server promtool:prometheus supervisord:supervisor \
         amtool:prometheus-alertmanager strace:strace shellcheck:shellcheck psql:postgresql node:nodejs wscat:node-ws \
         logrotate:logrotate pgbouncer:pgbouncer curl:curl npm:npm caddy:caddy kubectl:kubernetes-client openssl:openssl
FUZZ_EXAMPLES ?= 100
# Most tests wait, so more of them than there are cores; a module's tests stay together and share its server.
PARALLEL ?= -n 5 --dist loadfile --no-loadscope-reorder
# Those without a server compute more than they wait, and each process first imports all tests.
FEW = -n 3 --dist loadfile --no-loadscope-reorder
# ORDER=reversed or random (SEED=1 repeats one), BUSY=2 processes that compute meanwhile, UPTIME=2 seconds since the start.
ENV_OF_SUITE = TEST_ORDER="$(ORDER)" TEST_SEED="$(SEED)" TEST_BUSY="$(BUSY)" TEST_UPTIME="$(UPTIME)"
SUITE = $(ENV_OF_SUITE) $(BIN)/python -m chassis.tests.suite $(PARALLEL)
# The tests that the table of transports names.
PROMISES = $(shell grep -oh 'chassis/tests/[a-z_/]*\.py' chassis/docs/transports.md | sort -u)
# The tests of the worker, which green threads share.
WORKER = $(addprefix chassis/tests/security/,test_slow_senders.py test_slow_readers.py test_body_limits.py test_malformed_http.py test_malformed_packets.py)
PARTS ?=
SCREENSHOTS ?= data/screenshots
USERS ?= 20
SECONDS ?= 60
STACK ?= deploy/compose/compose.yaml
COMPOSE ?= $(shell if docker compose version >/dev/null 2>&1; then echo docker compose; else \
             command -v podman-compose || echo $(BIN)/podman-compose; fi)
NEW_ENOUGH = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
  { echo "Python 3.11 or newer is needed: install it, or give its path with make PYTHON=/path/to/python3." >&2; exit 1; }
# An option for a variable that was given to make: the environment has a NAME of its own on some systems.
given = $(if $(filter command%,$(origin $(1))),--$(2) "$$$(1)")
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links -q

.PHONY: help run dev shell seed test test-fast test-app test-all test-long test-mode test-postgres test-without-example fuzz bench bench-check smoke load \
        screenshots rename new example upgrade deploy-proof release lint audit manifest format docs lock lock-peers tools clean secrets up down logs migrate

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-22s %s\n", $$1, $$2}'

run: .venv/installed ## install the requirements and serve on http://127.0.0.1:5000
	@exec $(BIN)/python run_web.py

dev: .venv/installed ## serve for development: restarts and reloads pages after changes, shows mistakes and e-mail
	@exec $(BIN)/python run_web.py --dev

shell: .venv/installed ## a Python prompt with the application, the database, jobs and tables at hand
	@exec $(BIN)/python -m flask shell

seed: .venv/installed ## make an admin and demo data in the development database
	@$(BIN)/python -m flask db upgrade && $(BIN)/python -m flask seed

rename: ## give the service another name everywhere: make rename NAME="Acme Lab" [SLUG=acme-lab]
	@$(NEW_ENOUGH)
	@$(PYTHON) -m chassis.template.rename $(call given,NAME,name) $(call given,SLUG,slug)

new: ## make a repository of its own: make new DIR=../acme NAME="Acme Lab" [PARTS=accounts,console] [EXAMPLES=...]
	@$(NEW_ENOUGH)
	@$(PYTHON) -m chassis.template.new $(call given,DIR,dir) $(call given,NAME,name) $(call given,SLUG,slug) \
	  $(call given,PARTS,parts) $(call given,EXAMPLES,examples)

example: ## list the services to start from; copy one to app/features: make example NAME=... (take it away with REMOVE=1)
	@$(NEW_ENOUGH)
	@$(PYTHON) -m chassis.template.example $(call given,NAME,name) $(if $(filter 1,$(REMOVE)),--remove)

upgrade: ## take a newer version of the template: make upgrade [TO=v0.3.0] [FROM=path or URL] [DRY=1]
	@$(NEW_ENOUGH)
	@$(PYTHON) -m chassis.template.upgrade $(call given,TO,to) $(call given,FROM,from) $(if $(filter 1,$(DRY)),--dry-run)

test: .venv/installed-dev tools ## install the test requirements and run all tests except the long ones, in parallel
	@$(SUITE) -m "not long" $(ARGS)

test-fast: PARALLEL = $(FEW)
test-fast: .venv/installed-dev ## the tests that start no server and no browser
	@TEST_FAST=1 $(SUITE) -m "not long and not fuzz and not server" $(ARGS)

test-all: .venv/installed-dev tools ## the long tests, the benchmarks, the other ASYNC_MODEs and a clone without the example
	@$(BIN)/python -m chassis.tests.suite.steps "make test-long" "make bench-check" "make test-mode MODE=gevent" \
	  "make test-mode MODE=threading" "make test-without-example FAST=1"

test-long: .venv/installed-dev tools ## the long tests: faults, soak, fuzz
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(SUITE) -m "long or fuzz" $(ARGS)

test-mode: .venv/installed-dev tools ## the tests that drive a server, under MODE=eventlet|gevent|threading
	@TEST_ASYNC_MODE=$(MODE) $(SUITE) -m "not long and server" $(ARGS) chassis/tests/e2e chassis/tests/server $(PROMISES) $(WORKER) chassis/parts app/features

# chassis/tests/suite/database.py chooses the tests by what they use, and says what it leaves out.
test-postgres: .venv/installed-dev tools ## the tests of what is stored, on a real PostgreSQL server
	@TEST_DATABASE=postgres $(SUITE) -m "not long" $(ARGS)

test-without-example: .venv/installed-dev tools ## lint, server and tests of a clone without the example and the parts (PARTS="console" keeps one; FAST=1)
	@$(ENV_OF_SUITE) $(BIN)/python -m chassis.tests.clone $(addprefix --keep ,$(PARTS)) \
	  $(if $(FAST),$(FEW),$(PARALLEL)) -m "not long and not fuzz$(if $(FAST), and not server)" $(ARGS)

test-app: .venv/installed-dev ## only the tests of this service, without those of the chassis
	@$(SUITE) -m "not long" app tests $(ARGS)

fuzz: .venv/installed-dev ## search for new input that breaks the property tests, FUZZ_EXAMPLES=100 of each
	@FUZZ_NEW=1 FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest -n 2 -m fuzz $(ARGS)

bench: .venv/installed-dev ## compare server, workers and jobs with others (chassis/docs/performance.md), and measure modes and the database
	@$(BIN)/python benchmarks/run.py --write
	@$(BIN)/python benchmarks/run.py --modes --write
	@$(BIN)/python benchmarks/workers.py --write
	@$(BIN)/python benchmarks/jobs.py --write
	@$(BIN)/python benchmarks/rows.py --write
	@$(BIN)/python benchmarks/database.py --write
	@$(BIN)/python benchmarks/gateway.py --write

bench-check: .venv/installed-dev ## run the benchmarks that have a limit
	@$(BIN)/python benchmarks/database.py --check && $(BIN)/python benchmarks/run.py --check

screenshots: .venv/installed-dev ## a picture of every page and state in SCREENSHOTS=data/screenshots; fails for what is wrong with them
	@$(BIN)/python -m chassis.tests.screenshots $(SCREENSHOTS)

deploy-proof: .venv/installed-dev ## build, start and break each deployment in deploy/ (needs root and minutes; ONLY=systemd for one)
	@$(BIN)/python -m chassis.tests.deploy.proof $(ONLY)

smoke: .venv/installed-dev ## check an instance as a user would; an admin's KEY lifts the limits: make smoke URL=... KEY=...
	@SMOKE_KEY="$(KEY)" $(BIN)/python deploy/smoke.py "$(URL)"

load: .venv/installed-dev ## simulate users of an instance; an admin's KEY lifts the limits: make load URL=... USERS=20 SECONDS=60 KEY=...
	@LOAD_KEY="$(KEY)" $(BIN)/python deploy/load_key.py "$(URL)" $(SECONDS) $(BIN)/locust -f benchmarks/locustfile.py --headless --only-summary --host "$(URL)" \
	  -u $(USERS) -r $(USERS) -t $(SECONDS)s --stop-timeout 120

release: ## release the committed state: make release VERSION=1.2.3 (changelog, version, tag; OF=chassis)
	@$(PYTHON) deploy/release.py "$(VERSION)" $(OF)

lint: .venv/installed-dev ## check style, types, import directions, generated documents and shell scripts
	@$(BIN)/ruff check --no-cache . && $(BIN)/ruff format --check --no-cache . && $(BIN)/mypy && $(BIN)/lint-imports
	@$(BIN)/python -m flask settings docs --check && $(BIN)/python -m chassis.cli.reference --check
	@$(BIN)/python -m chassis.manifest --check
	@$(BIN)/python deploy/audit.py code licences
	@if command -v shellcheck >/dev/null; then find deploy -name "*.sh" -exec shellcheck .ci/run {} +; fi

audit: .venv/installed-dev ## look for weak code, secrets, licences and known vulnerabilities (status 3: no vulnerability database)
	@$(BIN)/python deploy/audit.py $(ONLY)

manifest: .venv/installed-dev ## write the hashes that flask doctor compares, after a change to chassis/ itself
	@$(BIN)/python -m chassis.manifest

format: .venv/installed-dev ## format the code
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

docs: .venv/installed ## write docs/configuration.md, .env.example and chassis/docs/reference.md from the code
	@$(BIN)/python -m flask settings docs && $(BIN)/python -m chassis.cli.reference

lock: .venv/installed-dev ## resolve the requirements again, with hashes
	@$(BIN)/uv pip compile $(LOCK) --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile $(LOCK) --custom-compile-command "make lock" --all-extras -c requirements.txt pyproject.toml \
	  -o requirements-dev.txt
	@$(BIN)/uv pip compile $(LOCK) --custom-compile-command "make lock" --extra postgres --extra redis --extra s3 \
	  -c requirements-dev.txt pyproject.toml -o requirements-scaled.txt

lock-peers: .venv/installed-dev ## resolve the requirements of the servers and queues that benchmarks compare with
	@for peer in asgi jobs stock; do $(BIN)/uv pip compile $(LOCK) --custom-compile-command "make lock-peers" \
	  benchmarks/peers/$$peer.in -o benchmarks/peers/$$peer.txt || exit 1; done

secrets: ## create the missing files of deploy/compose/secrets (keys, a certificate for TLS_NAME); never overwrites
	@deploy/compose/make_secrets.sh

up: ## build and start the containers of deploy/compose, and rebuild changed ones (docker compose or podman-compose)
	@$(COMPOSE) -f $(STACK) up -d --build

down: ## stop and remove the containers, not their data
	@$(COMPOSE) -f $(STACK) down

logs: ## follow the logs of the containers
	@$(COMPOSE) -f $(STACK) logs -f

migrate: ## apply pending migrations in a separate container; each start does this too
	@$(COMPOSE) -f $(STACK) run --rm -T app flask db upgrade

clean: ## remove the virtual environment, caches and containers; data and secrets are kept
	@! $(COMPOSE) version >/dev/null 2>&1 || $(COMPOSE) -f $(STACK) down >/dev/null 2>&1 || true
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

tools: # Debian's packages that the tests start: installed under CI=true as root, or with YES=1, otherwise named
	@missing=""; for tool in $(TOOLS); do \
	  PATH="$$PATH:/usr/sbin" command -v $${tool%%:*} >/dev/null || missing="$$missing $${tool##*:}"; done; \
	[ -n "$$missing" ] || exit 0; \
	install="apt-get install -y --no-install-recommends$$missing"; root=""; [ "$$(id -u)" = 0 ] || root="sudo "; \
	if ! command -v apt-get >/dev/null || ! { [ "$(YES)" = 1 ] || { [ "$(CI)" = true ] && [ -z "$$root" ]; }; }; then \
	  echo "Tests that need these packages are skipped:$$missing"; \
	  ! command -v apt-get >/dev/null || echo "To install them: $$root$$install (make test YES=1 does it)"; exit 0; fi; \
	echo "Installing:$$missing"; $${root}apt-get update -qq && \
	$${root}env DEBIAN_FRONTEND=noninteractive $$install -qq >/dev/null

.venv/bin/python:
	@$(NEW_ENOUGH)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Making .venv ..."; $(PYTHON) -m venv .venv

.venv/installed: requirements.txt | .venv/bin/python
	@[ -e .venv/installed-dev ] && [ ! requirements.txt -nt .venv/installed-dev ] || { echo "Installing the requirements ..."; \
	  $(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements.txt; }
	@touch $@

.venv/installed-dev: requirements-dev.txt | .venv/bin/python
	@echo "Installing the requirements of the tests ..."
	@$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements-dev.txt
	@touch $@ .venv/installed
