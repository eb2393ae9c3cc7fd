# Two commands on a fresh machine do everything: `make compare` and `make test`.
# Every target sets up its own environment first. PYTHON=python3.12 chooses another interpreter.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first of these that is Python 3.11, 3.12 or 3.13.
CANDIDATES := python3 python3.11 python3.12 python3.13 python
IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
ifdef PYTHON
VENV ?= .venv-$(notdir $(PYTHON))
else
PYTHON := $(shell for p in $(CANDIDATES); do "$$p" -c '$(IN_RANGE)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
VENV ?= .venv
endif

BIN := $(VENV)/bin

.PHONY: help setup developers check lint types test compare bench serve lock clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

setup:
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(IN_RANGE)' 2>/dev/null; then \
	  echo "No usable Python ($(or $(PYTHON),none found)): install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=python3.12" >&2; exit 2; fi
	@"$(PYTHON)" requirements/install.py $(VENV)

developers: setup
	@"$(PYTHON)" requirements/install.py $(VENV) --dev

compare: setup ## start the three local clouds, load them, and print the comparison (ARGS="--images DIR" for yours)
	@$(BIN)/tripoint compare $(ARGS)

# The tests start some hundred Python processes, which read compiled files twice as fast as they compile them.
test: developers ## run the tests (ARGS="tests/unit -k percentile" for a part)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: developers ## lint and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

serve: setup ## run the three local clouds until Ctrl-C
	@$(BIN)/tripoint serve all $(ARGS)

bench: developers ## measure speed and memory as ratios within one run
	@$(BIN)/python -m bench $(ARGS)

lock: setup ## resolve the locked requirements anew (needs uv: pip install uv)
	@$(BIN)/python requirements/lock.py

clean: ## remove what this Makefile made (runs/ stay)
	rm -rf .venv .venv-* .venv*.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find core adapters model loadtests cli tests -name __pycache__ -prune -exec rm -rf {} +
