# `make demo` runs the embedded study, `make test` the checks; both set up .venv first, once.
BIN := .venv/bin
WHOLE := $(shell $(BIN)/python envs/make_venv.py --check 2> /dev/null && echo yes)
NAMES := python3.11 python3.12 python3.13 python3
PYTHON ?= $(if $(WHOLE),$(BIN)/python,$(shell for name in $(NAMES); do $$name -V > /dev/null 2>&1 && echo $$name && break; done))
PINS := envs/zipo.txt
INSTALL := --constraint $(PINS) --editable .[study,test]

# one line of progress, and errors in full; `make demo VERBOSE=1` shows each job as Snakemake does
SNAKEMAKE := $(if $(VERBOSE),$(BIN)/snakemake,PYTHONPATH=workflow/logger $(BIN)/snakemake --logger progress)

.PHONY: demo verdicts test coverage slurm-test reliability bench docs tutorial leaderboard findings env lint format

# else each of the many processes would compile every module again
unexport PYTHONDONTWRITEBYTECODE

demo: env
	$(SNAKEMAKE)

# the paper's claims at small scale, each training to its own end, under several readings of the paper; some hours
verdicts: env
	$(SNAKEMAKE) --configfile config/verdicts.yaml

test: env lint
	$(BIN)/pytest --numprocesses 2

# the lines and branches of the package that the tests do not reach; processes that tests start count too
coverage: env
	$(BIN)/pytest --numprocesses 2 --cov --cov-report=term-missing:skip-covered --cov-report=html

# the study on a real cluster of one node, which root on Debian gets installed; `make test` leaves out its slow tests
slurm-test: env
	$(BIN)/pytest -m "" tests/slurm

# runs the tests of faults, and writes into docs/reliability.md what came of them
reliability: env
	$(BIN)/pytest tests --numprocesses 2 -m fault --reliability docs/reliability.md

# the engine's speed and memory beside plain PyTorch's: adds lines to benchmarks/history.tsv, and writes the pages that
# quote them; some minutes on a quiet machine
bench: THREADS ?= 2
bench: env
	$(BIN)/python benchmarks/throughput.py --threads $(THREADS) --history benchmarks/history.tsv
	$(BIN)/python benchmarks/history.py

# the site, from docs/ and the docstrings, in docs/_build/
docs: .venv/docs
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build

# runs the tutorial, and writes into docs/ what it printed and drew
tutorial: env
	$(BIN)/python docs/run_tutorial.py

# publishes the tables of a finished benchmark, and a page made from them, in docs/leaderboard/
leaderboard: RESULTS ?= results/benchmark
leaderboard: env
	$(BIN)/zipo study publish-leaderboard $(RESULTS) docs/leaderboard

# publishes the verdicts of a finished study, and a page made from them, in docs/findings/
findings: RESULTS ?= results/verdicts
findings: env
	$(BIN)/zipo study findings $(RESULTS) docs/findings --leaderboard docs/leaderboard

lint: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: env
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt Snakefile workflow

env: .venv/installed

# an environment of an older Python, or that came from another folder, is no environment
ifeq ($(WHOLE),)
.PHONY: .venv/installed
endif

# uv installs in seconds where pip takes minutes; pip remains for machines on which uv does not run.
# uv does not read pip's variable for local wheels, hence UV_FIND_LINKS.
.venv/installed: pyproject.toml $(PINS)
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed: make env PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) envs/make_venv.py
	$(BIN)/pip install --quiet uv \
	&& UV_FIND_LINKS="$$PIP_FIND_LINKS" $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(INSTALL) \
	|| $(BIN)/pip install --quiet $(INSTALL)
	touch $@

.venv/docs: .venv/installed
	$(BIN)/pip install --quiet --constraint $(PINS) --editable .[docs]
	touch $@

# for `snakemake --sdm conda`; what a file of pins lists last is installed without what it asks for, after the rest
WITHOUT := /^\# without their own requirements:/

# pins of methods' environments are part of the package
vpath %.txt envs zipo/methods/environments

envs/%.yaml: %.txt
	{ echo "# Generated from $*.txt by \`make $@\`, for \`snakemake --sdm conda\`."; \
	printf 'channels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n'; \
	sed '$(WITHOUT),$$d; /^#/d; s/^/      - /' $<; } > $@

envs/%.post-deploy.sh: %.txt
	{ echo "# Generated from $*.txt by \`make $@\`; Snakemake runs it once $*.yaml is installed."; \
	sed '1,$(WITHOUT)d; s/^/python -m pip install --no-deps /' $<; } > $@
