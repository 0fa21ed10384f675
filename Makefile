# The commands of this project. `make demo` and `make test` do all their own set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PACKAGES := evalcore evalhook evalcli evalsim
STAMP  := $(VENV)/.installed

.PHONY: help install demo test check bench lock clean

help:
	@echo 'make demo    the main job on this machine, the outside simulated'
	@echo 'make test    every test that needs no Docker (set EVALUATOR_REQUIRE=all to require those too)'
	@echo 'make check   lint, types, import rules: what CI checks besides the tests'
	@echo 'make bench   the benchmarks, each beside what it is compared with'
	@echo 'make lock    renew the hash-pinned locks (needs uv)'

install: $(STAMP)

$(STAMP): requirements-dev.txt $(foreach p,$(PACKAGES),packages/$(p)/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		$(foreach p,$(PACKAGES),-e packages/$(p))
	@touch $@

demo: install
	$(BIN)/evalsim demo

test: install
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python benchmarks/run.py

lock:
	uv lock --quiet
	uv export --quiet --no-emit-workspace --no-header --all-packages --group dev -o requirements-dev.txt
	uv export --quiet --no-emit-workspace --no-header --no-dev --package evalhook -o docker/hook.requirements.txt
	uv export --quiet --no-emit-workspace --no-header --no-dev --package evalcli -o docker/runner.requirements.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
