# The two commands of README: `make run` and `make test`. Everything they need is set up in .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Two test processes: the suite waits on sockets as much as it computes.
JOBS ?= 2

.PHONY: run test lint format bench clean

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which with PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once; a minute or so)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[sample,dev]"
	@touch $@

# The slow third party that the bookshop calls runs beside it, and ends with it.
run: $(READY)
	@$(BIN)/python -m legacy_flask.third_party & third=$$!; \
	trap "kill $$third 2>/dev/null" EXIT; trap : INT; \
	$(BIN)/gateway run routes.yaml

test: $(READY) lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
