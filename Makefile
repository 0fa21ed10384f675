# The commands of this project. `make demo` and `make test` do all their own set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PACKAGES := evalcore evalhook evalcli evalsim
STAMP  := $(VENV)/.installed

.PHONY: help install demo test test-containers test-containers-hour check docs pictures map bench calibrate oracle chaos fuzz soak lock lock-apt clean

help:
	@echo 'make demo    the main job on this machine, the outside simulated'
	@echo 'make test    the tests; those that need Docker, Chromium or the corpus are skipped where these are not'
	@echo '             (EVALUATOR_REQUIRE=all: none is skipped)'
	@echo 'make test-containers  the real images alone: deployments, networks, TLS; says what it has left behind'
	@echo 'make test-containers-hour  an hour of jobs on them with monitoring as it is delivered: no alert fires'
	@echo 'make check   lint, types, import rules, dead code, dependencies, Dockerfiles: what CI checks besides the tests'
	@echo 'make docs    write commands, options, endpoints and settings from the code into docs and compose.yaml'
	@echo 'make map     rooms, arrows and circles of each package, drawn from its imports'
	@echo 'make pictures  the two pictures of the README (needs Chromium)'
	@echo 'make bench   the benchmarks, each beside what it is compared with'
	@echo 'make calibrate  the intervals, ranks and comparisons against simulated truth (an hour and more)'
	@echo 'make oracle  the intervals and tests beside a published library, in an environment of its own'
	@echo 'make chaos   kills, outages, cuts and refused keys at random instants (over an hour)'
	@echo 'make fuzz    what reads replies, models.yaml, policies and leaderboards, ten minutes each'
	@echo 'make soak    an hour of jobs, one after the other: memory and open files stay flat'
	@echo 'make lock    renew the hash-pinned locks (needs uv)'
	@echo 'make lock-apt  renew the versions of Debian packages in the published images (needs Docker)'

install: $(STAMP)

$(STAMP): requirements-dev.txt $(foreach p,$(PACKAGES),packages/$(p)/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("$(PYTHON) is older than 3.11; name one: \
	make install PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		$(foreach p,$(PACKAGES),-e packages/$(p))
	@touch $@

demo: install
	$(BIN)/evalsim demo

test: install
	@.ci/fetch-descriptions $(VENV)/descriptions
	@test -x $(VENV)/mkdocs/bin/mkdocs || { $(PYTHON) -m venv $(VENV)/mkdocs && $(VENV)/mkdocs/bin/python -m pip install \
		--quiet --disable-pip-version-check --require-hashes -r tests/mkdocs.requirements.txt; }
	@# Two more than there are cores: those that are among containers mostly wait (tests/scheduling.py).
	$(BIN)/python -m pytest --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 2)) --dist loadgroup

test-containers: install
	@.ci/test-containers

test-containers-hour: install
	$(BIN)/python -m pytest -q tests/containers/hour.py

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/hadolint $$(git ls-files '*Dockerfile')
	@for package in $(PACKAGES); do \
		echo "deptry $$package"; (cd packages/$$package && ../../$(BIN)/deptry --no-ansi src) || exit 1; done

pictures: install
	$(BIN)/python .ci/pictures.py

map: install
	$(BIN)/python .ci/map.py

docs: install
	$(BIN)/python .ci/write_docs.py

calibrate: install
	$(BIN)/python benchmarks/calibrate.py

oracle:
	$(PYTHON) -m venv $(VENV)-oracle
	$(VENV)-oracle/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r benchmarks/oracle.requirements.txt
	PYTHONPATH=packages/evalcore/src $(VENV)-oracle/bin/python benchmarks/oracle.py

chaos: install
	$(BIN)/python benchmarks/chaos.py

fuzz: install
	$(BIN)/python benchmarks/fuzz.py

soak: install
	$(BIN)/python benchmarks/soak.py

bench: install
	$(BIN)/python benchmarks/run.py

lock:
	uv lock --quiet
	uv export --quiet --no-emit-workspace --no-header --all-packages --group dev -o requirements-dev.txt
	uv export --quiet --no-emit-workspace --no-header --no-dev --package evalhook -o docker/hook.requirements.txt
	uv export --quiet --no-emit-workspace --no-header --no-dev --package evalcli --extra campaign -o docker/runner.requirements.txt
	echo hatchling | uv pip compile --quiet --generate-hashes --universal --no-header --no-annotate \
		--python-version 3.11 -c requirements-dev.txt -o docker/build.requirements.txt -
	echo pip-audit | uv pip compile --quiet --generate-hashes --universal --no-header --no-annotate \
		--python-version 3.11 -o .ci/pip-audit.requirements.txt -
	echo graphql-core | uv pip compile --quiet --generate-hashes --universal --no-header --no-annotate \
		--python-version 3.11 -c requirements-dev.txt -o docker/simulator.requirements.txt -
	printf 'mkdocs==1.6.1\nmkdocs-material==9.5.49\n' | uv pip compile --quiet --generate-hashes --universal --no-header \
		--no-annotate --python-version 3.11 -o tests/mkdocs.requirements.txt -
	printf 'evalstats\nmsgspec\n' | uv pip compile --quiet --generate-hashes --universal --no-header --no-annotate \
		--python-version 3.11 -c requirements-dev.txt -o benchmarks/oracle.requirements.txt -

PYTHON_IMAGE ?= python:3.13-slim-trixie

# What Debian has now of each package that docker/apt.lock names, asked in the base image.
lock-apt:
	docker run --rm --volume $(CURDIR)/docker/apt.lock:/apt.lock:ro --user 0 --entrypoint sh $(PYTHON_IMAGE) -ec ' \
		apt-get update -qq >/dev/null; grep "^#" /apt.lock; \
		for name in $$(sed -n "s/=.*//p" /apt.lock); do \
			echo "$$name=$$(apt-cache policy $$name | sed -n "s/^  Candidate: //p")"; done' >docker/apt.lock.new
	mv docker/apt.lock.new docker/apt.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
