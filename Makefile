# Every verb of the house. `make help` lists them.
PYTHON ?= $(shell for python in python3.11 python3; do $$python -c 'import sys; print(sys.executable)' 2>/dev/null && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
AS_ROOT := $(shell test "$$(id -u)" = 0 || echo sudo -n)
SOURCES := chassis fakes services sallyport simulator proto tests bench
NEWER_PYTHON := $(firstword $(shell python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null) \
	$(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13))

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.PHONY: help install run demo browser test test-pythons test-parts test-stack test-newer check fmt lint type arch proto proto-check bench herd hostile malformed slow lock clean

help:  ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP)  ## make the virtual environment from the hash-pinned lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Sallyport needs Python 3.11 or newer; set PYTHON=/path/to/python" >&2; exit 2; }
	@echo "Installing packages into $(VENV) (about a minute the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(STAMP)  ## start everything on loopback, on embedded real parts; Ctrl-C stops it
	@$(BIN)/sallyport run

demo: $(STAMP)  ## one seller's order travels through it, unattended; exits 0 or names the step
	@$(BIN)/sallyport demo

browser:  ## Chromium for the browser tests: installed from Debian where it is missing and may be
	@command -v chromium chromium-browser google-chrome-stable google-chrome >/dev/null || test -n "$(CHROMIUM)" \
		|| { echo "Installing Chromium for the browser tests"; \
			$(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -qq -y --no-install-recommends chromium; } >&2 \
		|| echo "Chromium could not be installed; the browser tests will fail and say what to do" >&2

test: $(STAMP) browser  ## the tests, on real parts (and the fast ones on Python 3.13 where it is found)
	@$(MAKE) --no-print-directory --jobs 2 test-pythons test-stack

# Two lanes: one computes while the other waits for processes to come and go.
test-pythons: $(STAMP)
	@$(MAKE) --no-print-directory test-parts
ifneq ($(NEWER_PYTHON),)
	@$(MAKE) --no-print-directory test-newer
endif

test-parts: $(STAMP)
	@$(BIN)/python -m pytest tests/unit tests/arch tests/contract 2>&1 | sed -u 's/^/parts  /'

test-stack: $(STAMP)
	@$(BIN)/python -m pytest tests/integration tests/browser tests/e2e 2>&1 | sed -u 's/^/stack  /'

test-newer:
	@$(MAKE) --no-print-directory install VENV=.venv-newer PYTHON=$(NEWER_PYTHON)
	@.venv-newer/bin/python -m pytest tests/unit tests/arch 2>&1 | sed -u 's/^/newer  /'

check: lint type arch proto-check test  ## all that CI runs

fmt: $(STAMP)  ## format the sources
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix --select I $(SOURCES)

lint: $(STAMP)  ## ruff, format included
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

type: $(STAMP)  ## mypy, strict
	@$(BIN)/mypy $(SOURCES)

arch: $(STAMP)  ## the import contracts
	@$(BIN)/lint-imports

proto: $(STAMP)  ## regenerate the stubs in wire/
	@$(BIN)/python -m proto.generate

proto-check: $(STAMP)  ## stubs are fresh and nothing released is broken
	@$(BIN)/python -m proto.generate --check
	@$(BIN)/python -m proto.compatibility

AXIOS := sallyport/bench/axios

bench: $(STAMP)  ## ratios against nginx, an axios broker and the parts underneath, taken in one run
	@test -d $(AXIOS)/node_modules || { command -v npm >/dev/null && npm ci --silent --no-audit --no-fund --prefix $(AXIOS); } \
		|| echo "Without npm there is no broker of express and axios to compare with" >&2
	@$(BIN)/python -m bench $(if $(PAGE),--page $(PAGE))

herd: $(STAMP)  ## 10,000 sellers whose tokens end at once, replicas killed; exits 0 when every promise held
	@$(BIN)/python -m bench herd

hostile: $(STAMP)  ## an upstream that bombs, drips and lies; exits 0 when nothing crashed and others did not notice
	@$(BIN)/python -m bench hostile

malformed: $(STAMP)  ## 100,000 malformed requests against a gateway; exits 0 when it is what it was
	@$(BIN)/python -m bench malformed

slow: $(STAMP)  ## 2,000 slow clients at the door; exits 0 when others waited at most twice as long
	@$(BIN)/python -m bench slow

lock: $(STAMP)  ## pin every package by hash again
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock

clean:  ## remove the state of `make run`, the environments and the caches
	@rm -rf .sallyport .venv .venv-newer build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
