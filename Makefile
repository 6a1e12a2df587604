# Everything a fresh machine needs is installed by these targets; see README.md.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' 2>/dev/null && { command -v $$p; break; }; done)
DEMO_DIR ?= var/demo

.PHONY: help setup demo test test-slow test-browser test-servers pictures bench bench-pull bench-year lint types format ui lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; install one or run make PYTHON=/path/to/python3"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	deploy/install-system-libraries.sh
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(VENV)/.runtime ## Install what running needs

demo: setup ## A simulated retailer, from provider APIs to a mailed report
	$(BIN)/python -m assets.demo --dir "$(DEMO_DIR)"

ui: setup ## The Dagster UI on loopback (after make demo, or with SMS_ETL_CONFIG set)
	DEMO_DIR="$(DEMO_DIR)" deploy/ui.sh

test: $(VENV)/.dev ## The tests
	POLARS_MAX_THREADS=1 $(BIN)/python -m pytest -m "not servers and not browser and not slow" -n auto --dist worksteal

test-slow: $(VENV)/.dev ## Tests over many seeds and schedules
	POLARS_MAX_THREADS=1 $(BIN)/python -m pytest -m "slow and not servers" -n auto --dist worksteal --timeout=1800

test-browser: $(VENV)/.dev ## Tests in a real browser (Chromium from Debian packages)
	deploy/install-test-browser.sh
	$(BIN)/python -m pytest -m browser

test-servers: $(VENV)/.dev ## Tests against real servers from Debian packages (gammu-smsd, Kannel, MariaDB, PostgreSQL, Redis)
	deploy/install-test-servers.sh
	$(BIN)/python -m pytest -m servers

pictures: $(VENV)/.dev ## Draw docs/images from the sample figures (needs pdftocairo)
	$(BIN)/python -m tests.reports.pictures

bench: $(VENV)/.dev ## Speed and memory beside other ways; writes docs/performance.md
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	nice $(BIN)/python -m benchmarks.speed

bench-year: $(VENV)/.dev ## What a year's report costs at several sizes; writes docs/year-report.md
	nice $(BIN)/python -m benchmarks.year_report

bench-pull: $(VENV)/.dev ## Pages a second under a rate limit; writes docs/pulling.md, fails if the limit is exceeded
	nice $(BIN)/python -m benchmarks.pulling

lint: $(VENV)/.dev ## Lint and format check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Strict type check
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

lock: $(VENV)/.dev ## Resolve the dependencies anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --extra dev pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --extra dev --extra bench pyproject.toml -o requirements-bench.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --extra s3 --extra celery --extra kubernetes pyproject.toml -o requirements-many-machines.txt

clean: ## Remove the virtual environment, caches and demo data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis var
