# The two commands of README: `make run` and `make test`. Everything they need is set up in .venv.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The first that fits: what .venv has, then the versions that the tests are run on. Each is tried, as a name alone may be
# pyenv's for a version that is switched off, and Debian's Python cannot make a .venv without python3-venv.
FITS := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in $(BIN)/python python3.11 python3.12 python3.13 python3; do \
  $$python -c '$(FITS)' >/dev/null 2>&1 && { echo $$python; break; }; done)

# More test processes than cores: the suite waits on sockets and on processes as much as it computes.
JOBS ?= 4

.PHONY: run run-remote test image-test lint format browser pictures prometheus fuzz bench bench-peers clean

# Asked for another Python than that of .venv: .venv is made anew.
ifneq ($(origin PYTHON),file)
ifneq ($(shell $(PYTHON) -V 2>&1),$(shell $(BIN)/python -V 2>&1))
.PHONY: $(READY)
endif
endif

$(READY): pyproject.toml
	@$(or $(PYTHON),false) -c '$(FITS)' || { echo "Python 3.11 or newer, with venv, is needed; say which with PYTHON=..."; exit 1; }
	@test "$$($(BIN)/python -V 2>&1)" = "$$($(PYTHON) -V)" || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing into $(VENV) (once; a minute or so)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[sample,dev]"
	@touch $@

# The slow third party that the bookshop calls runs beside it, and ends with it.
run: $(READY)
	@$(BIN)/python -m legacy_flask.third_party & third=$$!; \
	trap "kill $$third 2>/dev/null" EXIT; trap : INT; \
	$(BIN)/gateway run routes.yaml

# The same with each app on a server of its own, as in production.
run-remote: $(READY)
	@$(BIN)/python deploy/run_remote.py

test: $(READY) lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# Builds the image `gateway` step by step, without Docker, and runs it. Installs everything anew, which takes a minute.
image-test: $(READY)
	IMAGE_TEST=1 $(BIN)/python -m pytest tests/deploy/test_image.py

# The fault suite in full, with its table at the end: see docs/reliability.md. Ten minutes.
faults: $(READY)
	GATEWAY_FAULTS=full $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --timeout 900 tests/faults

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# For the tests of the dashboard, which are skipped without.
browser: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[browser]"
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium >/dev/null \
	    || echo "chromium cannot be installed (apt-get update first?)"; \
	  else echo "chromium is missing, and is only installed by root, with apt-get"; fi; fi

# The pictures of README and docs/dashboard.md, out of the test that goes through the same story. Five minutes, most of
# which is traffic for the charts.
pictures: browser
	GATEWAY_WARM_UP=270 $(BIN)/python -m pytest --timeout 600 tests/behaviour/dashboard/test_story.py
	@mkdir -p docs/pictures
	cd build/screenshots && cp dashboard.png dashboard-split.png dashboard-refused.png dashboard-phone.png ../../docs/pictures/

# For the tests of deploy/prometheus, some of which are skipped without. The package brings a service that may start by
# itself: for a container, or a machine of its own.
prometheus:
	@if ! command -v promtool >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends prometheus >/dev/null \
	    || echo "prometheus cannot be installed (apt-get update first?)"; \
	  else echo "promtool is missing, and is only installed by root, with apt-get"; fi; fi

# Every target of tests/fuzz for so many seconds, guided by coverage. What fails is in build/fuzz/.
FUZZ_SECONDS ?= 120
fuzz: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[fuzz]"
	@for target in $$(ls tests/fuzz/corpus); do $(BIN)/python -m tests.fuzz $$target $(FUZZ_SECONDS) || exit 1; done

bench: $(READY)
	$(BIN)/python -m benchmarks

# What the gateway is measured beside. Benchmarks leave out what is not there. The packages bring services that may
# start by themselves: for a container, or a machine of its own.
bench-peers: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]" \
	|| echo "aiohttp and Envoy cannot be installed"
	@for peer in nginx haproxy caddy wrk; do \
	  if PATH="$$PATH:/usr/sbin" command -v $$peer >/dev/null; then continue; fi; \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "$$peer is missing, and is only installed by root, with apt-get"; continue; fi; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$peer >/dev/null \
	  || echo "$$peer cannot be installed (apt-get update first?)"; \
	done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
