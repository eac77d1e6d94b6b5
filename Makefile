# The two commands of the README: `make demo` and `make test`. Each makes the virtual environment, installs the
# tested versions and does its job on a machine with Python >= 3.11, pip and make.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PROCESSES ?= auto

.PHONY: demo test lint check fast bench clean help

help:
	@echo "make demo   a small whole challenge on real photographs, in your browser (PORT=... chooses the port)"
	@echo "make test   lint, types and tests (PROCESSES=$(PROCESSES))"
	@echo "make fast   the tests of up to two seconds"
	@echo "make bench  the benchmark of the measures"

demo: $(VENV)/.demo
	$(BIN)/raim weights fetch
	$(BIN)/raim demo --overwrite $(if $(PORT),--port $(PORT))

test: lint check

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# No test reaches the network or fetches weights, and each process computes on one thread.
TEST_ENVIRONMENT := RAIM_OFFLINE=1 RAIM_ENGINE=ncnn OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

PYTEST := $(TEST_ENVIRONMENT) $(BIN)/python -m pytest -q -n $(PROCESSES) --dist worksteal
# Scoring and measures must be covered by their own tests; tracing the others too would only take time.
COVERED := tests/scoring tests/metrics src/raim/scoring src/raim/metrics

check: $(VENV)/.test
	$(BIN)/raim weights fetch --all
	$(PYTEST) $(COVERED) --cov --cov-report=term:skip-covered --cov-fail-under=95
	$(PYTEST) $(COVERED:%=--ignore=%)

fast: $(VENV)/.test
	$(BIN)/raim weights fetch --all
	$(PYTEST) -m "not slow"

bench: $(VENV)/.demo
	$(BIN)/raim weights fetch
	$(BIN)/python benchmarks/measures.py

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "raim needs Python 3.11 or newer as '$(PYTHON)'; install it, or name it: make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "raim needs Python 3.11 or newer, '$(PYTHON)' is older; name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

$(VENV)/.demo: pyproject.toml constraints.txt package-lock.json hatch_build.py | $(VENV)/bin/python
	$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt package-lock.json hatch_build.py | $(VENV)/bin/python
	$(PIP) --editable '.[demo,heif,jxl,pairs,server,server-postgresql,spandrel,torch,train]' --group test --group lint
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) demo .coverage
