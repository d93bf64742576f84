# Everything here creates the environment it needs: python3 >= 3.11, make and git are enough.
PYTHON ?= python3
SCENARIO ?= predator_prey
METHODS ?= adama fixed
RESULTS ?= results
PASS = out=$(RESULTS) $(if $(SCALE),scale=$(SCALE)) $(if $(EPISODES),episodes=$(EPISODES)) $(if $(ONLY),only=$(ONLY)) $(ARGS)
UV := .venv/bin/uv
READY := .venv/.ready
PYTEST := .venv/bin/python -m pytest -n 2 --dist worksteal
comma := ,
empty :=
space := $(empty) $(empty)

.DEFAULT_GOAL := help
.PHONY: help experiment grid figures reproduce publish report notebooks settings test test-all test-faults lint type fmt bench clean

help: ## what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo "  e.g. make experiment SCENARIO=predator_prey METHODS=\"adama fixed adagrad\" SEEDS=5 EPISODES=2000 ARGS=\"alpha=0.95\""

$(UV):
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "adama-jax needs Python 3.11 or newer (PYTHON=...)")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(READY): $(UV) pyproject.toml uv.lock
	$(UV) sync --frozen --inexact --quiet
	@touch $@

experiment: $(READY) ## train METHODS on SCENARIO, draw the curves, the rates and a rollout, print the table
	.venv/bin/adama experiment $(SCENARIO) methods=$(subst $(space),$(comma),$(strip $(METHODS))) out=$(RESULTS) $(if $(SEEDS),seeds=$(SEEDS)) $(if $(EPISODES),episodes=$(EPISODES)) $(ARGS)

grid: $(READY) ## the paper's grid search in SCENARIO: 100 pairs of fixed rates x 5 seeds, a table and a heat map
	.venv/bin/adama sweep $(SCENARIO) preset=grid out=$(RESULTS) $(if $(SEEDS),seeds=$(SEEDS)) $(if $(EPISODES),episodes=$(EPISODES)) $(ARGS)

figures: $(READY) ## draw the paper's figures and tables from RESULTS, say what is missing (SCALE, EPISODES, ONLY)
	.venv/bin/adama figures $(PASS)

reproduce: $(READY) ## train what they lack first; SCALE=0.05 is a quick pass; stop it, and the same command goes on
	.venv/bin/adama reproduce $(PASS)

publish: $(READY) ## copy the curves of RESULTS (settings, machine, thinned arrays; no rollouts) to docs/results/runs
	.venv/bin/python -m adama_jax.storage.publish $(RESULTS) docs/results/runs

report: $(READY) ## RESULTS as one HTML page
	.venv/bin/adama report $(RESULTS)

notebooks: $(READY) ## run the notebooks (notebooks/*.py, percent format)
	$(UV) sync --frozen --inexact --quiet --group notebooks
	mkdir -p build/notebooks
	for file in notebooks/*.py; do .venv/bin/jupytext --quiet --to ipynb -o build/notebooks/$$(basename $$file .py).ipynb $$file || exit 1; done
	.venv/bin/python -m pytest --nbmake --nbmake-timeout=60 --durations=4 --override-ini=addopts= build/notebooks

settings: $(READY) ## write docs/settings.md, the page of all settings
	.venv/bin/python -m adama_jax.config.table > docs/settings.md

test: $(READY) ## the tests, under 10 minutes on 2 cores
	$(PYTEST) -m "not slow"

test-all: $(READY) notebooks ## the slow tests and the notebooks too
	$(PYTEST)

test-faults: $(READY) ## processes killed, disks filled, jobs failing: docs/reliability.md, some 20 minutes
	$(PYTEST) -s tests/execution/test_faults.py tests/storage/test_checkpoints.py tests/execution/test_resume.py

lint: $(READY) ## ruff: lint and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

type: $(READY) ## pyright on the package
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 .venv/bin/pyright

fmt: $(READY) ## let ruff rewrite
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: $(READY) ## speed, as ratios measured in one run; 40 minutes on an idle machine (with PyTorch where it is there)
	.venv/bin/python -m benchmarks.episodes
	.venv/bin/python -m benchmarks.train_step
	.venv/bin/python -m benchmarks.scaling
	.venv/bin/python -m benchmarks.sweep
	.venv/bin/python -m benchmarks.locomotion
	.venv/bin/python -m benchmarks.checkpoints
	.venv/bin/python -m benchmarks.startup
	.venv/bin/python -m benchmarks.tables

clean: ## remove the environment and caches; results stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
