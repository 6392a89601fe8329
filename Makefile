# Everything a paper's replication needs; `make help` lists it.
# The environment is the active virtual or conda environment, else .venv, made on first use.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SILENT:

# The code of this checkout, whichever one the environment was made for.
export PYTHONPATH := $(CURDIR)/src$(if $(PYTHONPATH),:$(PYTHONPATH))

PROFILE ?= default
JOBS ?=
ARGS ?=
CLAIM ?=

ENV := $(or $(VIRTUAL_ENV),$(CONDA_PREFIX),.venv)
PYTHON := $(ENV)/bin/python
STAMP := $(ENV)/.oldschool-installed
RUN := $(PYTHON) -m oldschool
# Worker processes: JOBS, else the n of `make -jn`, else as many as there are cores.
WORKERS = $(or $(JOBS),$(patsubst -j%,%,$(filter -j%,$(MFLAGS))))
SETTINGS = profile=$(PROFILE) $(if $(WORKERS),jobs=$(WORKERS)) $(ARGS)
VERSION_CHECK := import sys; sys.exit(sys.version_info[:2] < (3, 11))

.PHONY: all
all: setup  ## every replication (PROFILE=smoke|default|paper), then reports/
	$(RUN) run $(SETTINGS)

.PHONY: setup
setup: $(STAMP)  ## the environment, with the versions of requirements.lock

.PHONY: list
list: setup  ## the replications there are
	$(RUN) list

replicate-%: setup  ## one replication; JOBS=processes ARGS="settings", as in ARGS="monks.alpha=1e-6"
	$(RUN) run $* $(SETTINGS)

.PHONY: report
report: setup  ## figures, tables and pages from the collected rows; nothing is trained
	$(RUN) report

.PHONY: verify
verify: setup  ## reports/ is what its rows give, and a sample of the rows comes out again
	$(RUN) verify

.PHONY: cite
cite: setup  ## a claim's number, macros, BibTeX and command; CLAIM=its id
	$(RUN) cite $(CLAIM)

.PHONY: data
data: setup  ## get the data sets (of PROFILE=paper: all) and check their hashes
	$(RUN) data profile=$(PROFILE)

.PHONY: test
test: setup  ## all tests but the timings; ARGS= for pytest
	$(PYTHON) -m pytest $(ARGS)

.PHONY: bench
bench: setup  ## timings, as ratios measured in one run
	$(PYTHON) -m pytest -o addopts=--import-mode=importlib --benchmark-only tests/benchmarks $(ARGS)

.PHONY: lint
lint: setup  ## style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

.PHONY: lock
lock: setup  ## the locks and environment.yml from pyproject.toml; wants uv; ARGS=--upgrade
	$(PYTHON) scripts/lock.py $(ARGS)

.PHONY: clean
clean:  ## remove caches and runs/ (finished units, too), not reports/ and not .venv
	rm -rf runs build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

# Installing takes its time, so only when what is to be installed has changed.
$(STAMP): pyproject.toml requirements.lock requirements-cuda.lock | $(PYTHON)
	$(PYTHON) scripts/install.py
	touch $@

.venv/bin/python:
	for python in python3.11 python3; do \
	    if $$python -c '$(VERSION_CHECK)' 2>/dev/null; then exec $$python -m venv .venv; fi; \
	done; \
	echo "error: neither python3.11 nor a python3 of at least 3.11 was found" >&2; exit 1
