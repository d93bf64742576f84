# Everything here creates the environment it needs: python3 >= 3.11, make and git are enough.
# Works with GNU make 3.81, which macOS has: no `define NAME =`, no $(file ...), no .ONESHELL.
PYTHON ?= python3
SCENARIO ?= predator_prey
METHODS ?= adama fixed
RESULTS ?= results
UV := .venv/bin/uv
READY := .venv/.ready
# All but CUDA and PyTorch; what is there beside it stays.
SYNC := $(UV) sync --frozen --inexact --quiet --extra all
PYTEST := .venv/bin/python -m pytest -n 2 --dist worksteal
# A run that is stopped, begun again, broken or finished.
STOPPED := tests/execution/test_resume.py tests/execution/test_begun_runs.py \
	tests/execution/test_diverged_runs.py tests/execution/test_finished_runs.py
# Files, locks, checkpoints, the command line, pictures, tables, optimizers; a run that is stopped and resumed.
LOWEST := tests/config tests/storage tests/reporting tests/optax tests/training/test_optimizers.py \
	tests/execution/test_jax_setup.py tests/execution/test_logger.py $(STOPPED) tests/cli/test_words.py

# The variables that a target reads: what else is given to make would change nothing, and is refused.
read_by_all := PYTHON UV
experiment.reads := SCENARIO METHODS RESULTS SEEDS EPISODES ARGS
grid.reads := SCENARIO RESULTS SEEDS EPISODES ARGS
figures.reads := RESULTS SCALE EPISODES ONLY ARGS
reproduce.reads := RESULTS SCALE EPISODES ONLY FIRST_LOOK ARGS
publish.reads := RESULTS
report.reads := RESULTS
test.reads := PYTEST
test-all.reads := PYTEST
test-faults.reads := PYTEST
test-lowest.reads := LOWEST

comma := ,
empty :=
space := $(empty) $(empty)
define newline


endef

# A text as one word of the shell, whatever is in it.
quoted = '$(subst ','\'',$1)'
# The text of a variable as one such word; `value`, for make would read a dollar sign.
word_of = $(call quoted,$(value $1))
# A variable that was given, as the setting $2; and one that may have several values.
one = $(if $(filter-out undefined,$(origin $1)),$(call quoted,$2=$(value $1)))
several = $(if $(filter-out undefined,$(origin $1)),$(call quoted,$2=$(subst $(space),$(comma),$(strip $(value $1)))))
# More settings: each as it is, or, where quotes hold some together, as the shell reads them.
quotes := ' "
in_quotes = $(strip $(foreach quote,$(quotes),$(findstring $(quote),$(value ARGS))))
args = $(if $(in_quotes),$(value ARGS),$(foreach setting,$(value ARGS),$(call quoted,$(setting))))

out = $(call one,RESULTS,out)
seeds = $(call one,SEEDS,seeds)
episodes = $(call one,EPISODES,episodes)
exhibits = $(out) $(call one,SCALE,scale) $(episodes) $(call several,ONLY,only) $(args)

.DEFAULT_GOAL := help
.PHONY: help experiment grid figures reproduce publish report notebooks docs settings test test-all test-faults test-lowest lint type fmt bench clean

# What changes nothing is refused before anything is made, with exit code 2.
goals := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
readable := $(read_by_all) $(foreach goal,$(goals),$($(goal).reads))
of_make := MAKEFLAGS MAKEFILES MAKE SHELL
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
find_nearest := import difflib, sys; print(*difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1))
nearest = $(shell $(call word_of,PYTHON) -c $(call quoted,$(find_nearest)) $(call quoted,$1) $(readable))
for_args = $(if $(filter ARGS,$(readable)),; settings of adama go into ARGS="...")
hint = $(if $1,; did you mean $1?,$(for_args))
refuse = $(error $1=$(value $1): must be a variable that `make $(goals)` reads: $(strip $(readable))$(call hint,$(nearest)))
$(foreach name,$(given),$(if $(findstring $(newline),$(value $(name))),$(error $(name): must be one line)))
$(foreach name,$(filter-out $(readable) $(of_make),$(given)),$(call refuse,$(name)))

help: ## what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo "  e.g. make experiment SCENARIO=predator_prey METHODS=\"adama fixed adagrad\" SEEDS=5 EPISODES=2000 ARGS=\"alpha=0.95\""

$(UV):
	$(call word_of,PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "adama-jax needs Python 3.11 or newer (PYTHON=...)")'
	$(call word_of,PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(READY): $(UV) pyproject.toml uv.lock
	$(SYNC)
	@touch $@

experiment: $(READY) ## train METHODS on SCENARIO, draw the curves, the rates and a rollout, print the table
	.venv/bin/adama experiment $(call word_of,SCENARIO) $(call several,METHODS,methods) $(out) $(seeds) $(episodes) $(args)

grid: $(READY) ## the paper's grid search in SCENARIO: 100 pairs of fixed rates x 5 seeds, a table and a heat map
	.venv/bin/adama sweep $(call word_of,SCENARIO) preset=grid $(out) $(seeds) $(episodes) $(args)

figures: $(READY) ## draw the paper's figures and tables from RESULTS, say what is missing (SCALE, EPISODES, ONLY)
	.venv/bin/adama figures $(exhibits)

reproduce: $(READY) ## train what they lack first; FIRST_LOOK=yes: AdaMa and fixed alone, 3 minutes; SCALE=0.05: all, 40 minutes
	.venv/bin/adama reproduce $(exhibits) $(call one,FIRST_LOOK,first_look)

publish: $(READY) ## copy the curves of RESULTS (settings, machine, thinned arrays; no rollouts) to docs/results/runs
	.venv/bin/python -m adama_jax.storage.publish $(call word_of,RESULTS) docs/results/runs

report: $(READY) ## RESULTS as one HTML page
	.venv/bin/adama report $(call one,RESULTS,results)

notebooks: $(READY) ## run the notebooks (notebooks/*.py, percent format), executed ones in build/notebooks
	$(SYNC) --group notebooks
	mkdir -p build/notebooks
	for file in notebooks/*.py; do .venv/bin/jupytext --quiet --to ipynb -o build/notebooks/$$(basename $$file .py).ipynb $$file || exit 1; done
	.venv/bin/python -m pytest --nbmake --nbmake-timeout=900 --overwrite --durations=4 --override-ini=addopts= build/notebooks

docs: $(READY) ## the documentation as a web site, in build/docs; a warning is an error
	$(SYNC) --group docs
	.venv/bin/python -m sphinx -W --keep-going -b html docs build/docs

settings: $(READY) ## write docs/settings.md, the page of all settings
	.venv/bin/python -m adama_jax.config.table > docs/settings.md

test: $(READY) ## the tests, under 10 minutes on 2 cores
	ADAMA_TEST_FAST=yes $(PYTEST) -m "not slow"

test-all: $(READY) notebooks ## the slow tests and the notebooks too
	$(PYTEST)

test-faults: $(READY) ## processes killed, disks filled, jobs failing, words and files at random: docs/reliability.md
	$(PYTEST) -s tests/execution/test_faults.py tests/cli/test_fuzz.py tests/cli/test_damaged_files.py tests/execution/test_signals.py tests/execution/test_open_files.py tests/storage/test_checkpoints.py $(STOPPED)

test-lowest: $(UV) ## what a dependency can break, under the lowest versions that pyproject.toml allows
	$(UV) venv --quiet --allow-existing --python $(call word_of,PYTHON) build/lowest
	$(UV) pip install --quiet --python build/lowest/bin/python --resolution lowest-direct --group dev --editable '.[all]'
	# Old versions of some packages warn of new versions of others: here that is no error.
	build/lowest/bin/python -m pytest -n 2 --dist worksteal -W default -m "not slow" $(LOWEST)

lint: $(READY) ## ruff: lint and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

type: $(READY) ## pyright on the package and the benchmarks
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 .venv/bin/pyright adama_jax benchmarks

fmt: $(READY) ## let ruff rewrite
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: $(READY) ## speed, as ratios measured in one run; 40 minutes on an idle machine (with PyTorch where it is there)
	.venv/bin/python -m benchmarks.episodes
	.venv/bin/python -m benchmarks.train_step
	.venv/bin/python -m benchmarks.scaling
	.venv/bin/python -m benchmarks.sweep
	.venv/bin/python -m benchmarks.large_sweep
	.venv/bin/python -m benchmarks.locomotion
	.venv/bin/python -m benchmarks.checkpoints
	.venv/bin/python -m benchmarks.startup
	.venv/bin/python -m benchmarks.tables

clean: ## remove the environment and caches; results stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
