# make tour | test | test-all | test-engine | coverage | bench | gallery | lint | names | clean
# The first call makes a virtual environment in .venv; PYTHON=python3.12 chooses what it is made with.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Its date says when the environment last took up pyproject.toml.
READY  := $(VENV)/.ready

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help tour test test-all test-engine coverage bench gallery lint names clean

help:
	@echo "make tour      see what Pullback does: numbers, tables and pictures"
	@echo "make test      lint, then the quick tests"
	@echo "make test-all  lint, then every test, the slow ones too"
	@echo "make test-engine  generated tests and stories, the CPU engine set otherwise: threads, planning, vectors"
	@echo "make coverage  which lines of src/pullback the quick tests run"
	@echo "make bench     speed beside PyTorch, TensorFlow and JAX, as ratios measured in one run"
	@echo "make gallery   docs/gallery anew: pages that the tools make from real runs"
	@echo "make lint      ruff, pyright, import-linter, the list of public names"
	@echo "make names     write that list anew, after adding or moving a public name"
	@echo "make clean     remove the environment and all caches"

$(READY): pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Pullback needs Python 3.11 or newer, and \"$(PYTHON)\" is not that; say: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	@"$(BIN)/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  "$(PYTHON)" -m venv --clear $(VENV) || { \
	  echo "\"$(PYTHON) -m venv\" failed; on Debian and Ubuntu it comes with the package python3-venv" >&2; \
	  exit 1; }
	@echo "Installing Pullback and its development tools into $(VENV) ..."
	@"$(BIN)/python" -m pip install --quiet --editable '.[dev]'
	@touch $@

tour: $(READY)
	@"$(BIN)/pullback" tour

lint: $(READY)
	@"$(BIN)/ruff" check --quiet .
	@"$(BIN)/ruff" format --quiet --check . || { echo "not formatted; say: $(BIN)/ruff format ." >&2; exit 1; }
	@"$(BIN)/pyright" --pythonpath "$(BIN)/python"
	@"$(BIN)/lint-imports" --no-logo
	@"$(BIN)/python" tools/names.py --check

test: lint
	@"$(BIN)/python" -m pytest -q -n 2

test-all: lint
	@"$(BIN)/python" -m pytest -q -n 2 -m "slow or not slow"
	@$(MAKE) --no-print-directory test-engine

# What the CPU engine may differ in from machine to machine and run to run; no answer may differ with it.
SETTINGS := PULLBACK_PLAN_AFTER=0 PULLBACK_NUM_THREADS=1 PULLBACK_NUM_THREADS=8
ifneq (,$(filter x86_64 amd64 AMD64,$(shell uname -m)))
SETTINGS += PULLBACK_ISA=avx2
endif

test-engine: $(READY)
	@for setting in $(SETTINGS); do \
	  echo "$$setting"; \
	  env $$setting "$(BIN)/python" -m pytest -q -n 2 tests/generated tests/stories || exit 1; \
	done

coverage: $(READY)
	@rm -f .coverage .coverage.*
	@"$(BIN)/python" -m coverage run -m pytest -q -n 2
	@"$(BIN)/python" -m coverage combine --quiet
	@"$(BIN)/python" -m coverage report --sort=cover

bench: $(READY)
	@"$(BIN)/python" -m bench

gallery: $(READY)
	@"$(BIN)/python" -m pip install --quiet --editable '.[dev,gallery]'
	@"$(BIN)/python" tools/gallery

names: $(READY)
	@"$(BIN)/python" tools/names.py

clean:
	rm -rf $(VENV) .bench build dist .coverage .coverage.* htmlcov .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find src tests tools -type d -name __pycache__ -prune -exec rm -rf {} +
