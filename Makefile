# Everything works on a fresh clone with Python 3.11 or newer and make: the targets create .venv and install into it what they need.

PYTHON ?= python3
PYTEST_ARGS ?=
BIN := .venv/bin
# two workers on two cores: more threads each would only wait for one another
RUN_TESTS := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal $(PYTEST_ARGS)

.PHONY: demo test parity lint types format bench clean

demo: .venv/.demo
	$(BIN)/rushlight run examples/digits.py

test: .venv/.dev
	$(RUN_TESTS) tests

parity: .venv/.parity
	$(RUN_TESTS) tests/parity

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/.dev
	$(BIN)/python tools/stubs.py
	$(BIN)/python -m mypy

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.parity
	$(BIN)/python benchmarks/run.py --write

clean:
	rm -rf .venv build dist src/*.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find src -name '*.pyi' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "rushlight needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[demo]'
	@touch $@

.venv/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

# exactly the release whose behaviour is rebuilt
.venv/.parity: pyproject.toml | .venv/.dev
	$(BIN)/python -m pip install -q --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev,parity]'
	@touch $@
