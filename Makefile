# The only door: `make help` says what is behind it. Needs git, make and Python 3.11; everything else is installed into .venv.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Where it is set, each of the platform's processes would compile all that it imports whenever it starts.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
GENERATED := protos/build/.inputs
MEMBERS := protos $(patsubst %/,%,$(dir $(wildcard libs/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml)))
SOURCES := conftest.py libs services deploy tests protos/generate.py $(wildcard docs/*.py) .ci/check_lock.py
TESTS ?=
PYTEST := $(BIN)/pytest -n 2

.PHONY: help install gen lint types check-lock test test-fast up demo bench lock clean

help: ## Says what each target does.
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

install: $(INSTALLED) ## Installs every pinned dependency and the workspace into .venv (420 MB the first time, then nothing).

$(INSTALLED): requirements.lock $(MEMBERS:=/pyproject.toml)
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
		|| { echo "Parkmesh needs Python 3.11. Install it, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "[1/4] Python environment in $(VENV)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "[2/4] uv, which installs the rest"
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock >$(VENV)/uv.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock
	@echo "[3/4] $$(grep -c '^[a-z]' requirements.lock) pinned packages (about 420 MB to download the first time)"
	@$(with_index) VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --no-deps --require-hashes -r requirements.lock
	@echo "[4/4] the workspace, and nothing else"
	@$(BIN)/python protos/generate.py
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --exact --offline --no-deps --no-build-isolation \
		-r requirements.lock $(MEMBERS:%=-e ./%)
	@touch $@

# uv does not read pip's settings; a mirror set there is used all the same.
with_index = mirror=$$($(BIN)/pip config get global.index-url 2>/dev/null || true); [ -z "$$mirror" ] || export UV_DEFAULT_INDEX="$$mirror";

gen: $(GENERATED) ## Generates messages, stubs and descriptors from the protos, when they changed.

$(GENERATED): $(INSTALLED) protos/generate.py $(shell find protos/parkmesh -name '*.proto')
	@$(BIN)/python protos/generate.py
	@touch $@

lint: gen ## Checks style, protos, import rules and generated documents.
	$(BIN)/ruff check $(SOURCES) docs/samples
	$(BIN)/ruff format --check $(SOURCES) docs/samples
	$(BIN)/buf lint protos/build/descriptors.binpb --config buf.yaml
	$(BIN)/lint-imports --no-logo
	$(BIN)/python docs/generate_errors.py --check
	$(BIN)/python docs/generate_surveys.py --check
	$(BIN)/python docs/generate_analysts.py --check

# Every folder of tests may have its conftest.py, and mypy takes one module of a name at a time: the folders' names tell
# them apart, but for those that are no names in Python, which are checked one by one.
CONFTESTS := $(shell find libs services deploy tests -name conftest.py)
UNNAMED := $(strip $(foreach conftest,$(CONFTESTS),$(if $(findstring -,$(conftest)),$(conftest))))

types: gen ## Checks types, strictly, tests included.
	$(BIN)/mypy $(SOURCES) --exclude '/conftest\.py$$' --exclude protos/build
	$(BIN)/mypy --explicit-package-bases $(filter-out $(UNNAMED),$(CONFTESTS))
	for conftest in $(UNNAMED); do $(BIN)/mypy "$$conftest"; done

check-lock: install ## Compares the environment with requirements.lock.
	$(BIN)/python .ci/check_lock.py
	$(BIN)/uv pip check --quiet

test: gen ## Runs all tests (TESTS=path narrows it).
	$(PYTEST) $(TESTS)

test-fast: gen ## Runs the inner loop: the tests that are not slow, in less than a minute.
	$(PYTEST) -m "not slow" $(TESTS)

up: gen ## Runs the whole platform on this machine until Ctrl-C.
	@exec $(BIN)/python -m local_platform

demo: gen ## Plays a small simulated city against a running platform.
	@exec $(BIN)/parkmesh demo

bench: gen ## Measures, prints a table and writes var/bench.json.
	@exec $(BIN)/python -m tests.bench

lock: install ## Pins the dependencies anew, by hash and without addresses.
	$(BIN)/uv lock
	$(BIN)/uv export --quiet --all-packages --all-groups --no-emit-workspace --no-emit-local --no-header --no-annotate -o requirements.lock

clean: ## Removes everything that was built or installed, but not var/.
	rm -rf $(VENV) protos/build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
