# Two commands matter: `make demo` and `make test`. Both install what they need, pinned, into .venv and tests/worlds.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo test lint test-long bench pictures lock clean

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: .stamps/python .stamps/node ## Watch real Aave contracts on a local chain, end to end, in a minute
	@$(RUN) -m tests.demo $(DEMO)

test: lint .stamps/node ## Everything that CI checks, in under ten minutes
	$(RUN) -m pytest -m "not long" -n auto --maxprocesses 4 --dist worksteal

lint: .stamps/python ## Style, types, and who may import whom
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports --no-cache

test-long: .stamps/python .stamps/node ## Kill loops and other proofs that take minutes; writes docs/measured.md
	$(RUN) -m pytest -m long tests/long

bench: .stamps/python .stamps/node ## What costs, as ratios against the ordinary way, in one run
	$(RUN) -m benchmarks.requests
	$(RUN) -m benchmarks.speed

pictures: .stamps/python .stamps/node ## The pictures of messages in docs/pictures, from a day of the real daemon
	$(RUN) -m tests.pictures

lock: .stamps/python ## Renew requirements.lock from pyproject.toml
	$(RUN) -m uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --upgrade -o requirements.lock

clean: ## Remove what the others made
	rm -rf $(VENV) .stamps tests/worlds/node_modules tests/worlds/.cache build dist

.stamps/python: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p .stamps && touch $@

.stamps/node: tests/worlds/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 or newer with npm is needed for the local chain and its contracts"; exit 1; }
	cd tests/worlds && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@mkdir -p .stamps && touch $@
