# Flow Explorer: `make run` opens the window, `make test` runs the tests. Both make what they need first.
# Another Python: make PYTHON=python3.12 run     Another place for the environment: make VENV=~/envs/flow test

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
# Tests run in so many processes, a file in one of them; ARGS="-n 0 …" for one process, with a debugger, say.
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile

ifeq ($(OS),Windows_NT)
PY := $(VENV)/Scripts/python.exe
else
PY := $(VENV)/bin/python
endif

RUN_STAMP := $(VENV)/.flow-explorer-installed
TEST_STAMP := $(VENV)/.flow-explorer-test-installed
BENCH_STAMP := $(VENV)/.flow-explorer-bench-installed
DOCS_STAMP := $(VENV)/.flow-explorer-docs-installed
# The lowest versions that pyproject.toml allows, in an environment of their own.
FLOORS ?= .venv-floors

# An environment that another tool made may come without pip.
PIP_READY := $(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip --upgrade >/dev/null

.DEFAULT_GOAL := help
.PHONY: help run test test-floors soak lint docs bench latency live likelihood translation samples-score toys clean

help:
	@echo "make run     open the window (ARGS='...' is handed to flow-explorer)"
	@echo "make test    run the tests (ARGS='-k name' is handed to pytest)"
	@echo "make soak    the tests that take long: trainings killed at random moments, 10,000 samples of each model, 10,000 random acts,"
	@echo "             an hour of play in the toy lab (FLOW_EXPLORER_SOAK_MINUTES=60), 20,000 damaged files for every reader"
	@echo "make test-floors  run the quicker tests with the lowest versions that pyproject.toml allows (tests/floors.txt), in $(FLOORS)"
	@echo "make lint    check the style of the code, and its types"
	@echo "make docs    write the guide and the reference of flowcore to site/"
	@echo "make bench   measure against other flow libraries and write docs/benchmarks.md: 20 minutes on 2 quiet cores"
	@echo "             (ARGS='--only toy --quick' for rough figures of some; nothing is written then)"
	@echo "make latency drag the window's sliders and measure how far the pictures lag behind the hand"
	@echo "make live    train in the toy lab's window and measure frames, samples, densities and speed (ARGS='--seconds 60')"
	@echo "make likelihood   train and evaluate every system on three data sets, an hour each; go on where it was stopped"
	@echo "             (ARGS='--minutes 10 --cells mnist/glow'); writes docs/likelihood.md"
	@echo "make translation  turn held-out pictures of one pile into another's and score them; writes docs/translation.md"
	@echo "make samples-score  how far samples are from held-out pictures, by a Fréchet distance and by who can tell them apart; writes"
	@echo "             docs/samples-score.md (ARGS='--models faces --profile \"0.35,0.45,0.65,0.75\"' for scores by temperature)"
	@echo "make toys    every density of the plane by every flow, a minute of one thread each; go on where it was stopped"
	@echo "             (ARGS='--seconds 20 --flows spline'); writes docs/toys.md"
	@echo "make clean   remove caches and build leftovers, never the environment or runs"

run: $(RUN_STAMP)
	@$(PY) -m flow_explorer $(ARGS)

test: $(TEST_STAMP)
	@$(PY) -m flow_explorer.display
	QT_QPA_PLATFORM=offscreen $(PY) -m pytest $(WORKERS) $(ARGS)

soak: $(TEST_STAMP)
	FLOW_EXPLORER_SOAK=1 QT_QPA_PLATFORM=offscreen $(PY) -m pytest -s tests/soak $(ARGS)

test-floors:
	@$(MAKE) --no-print-directory test VENV=$(FLOORS) CONSTRAINTS=tests/floors.txt WORKERS= \
	  ARGS='$(or $(ARGS),$(FLOOR_TESTS))'

# A part of everything that the floors are of: arrays, weights, pictures, both kinds of widget, the engine, the command line.
FLOOR_TESTS := tests/flowcore/bijections tests/flowcore/pictures tests/flowcore/model/test_codec.py tests/flowcore/model/test_written_models.py \
  tests/app/test_widgets_values.py tests/app/test_widgets_shown.py tests/app/theory tests/app/engine/test_client.py tests/cli/test_pictures.py

lint: $(TEST_STAMP)
	$(PY) -m ruff check .
	$(PY) -m basedpyright --pythonpath $(PY)

docs: $(DOCS_STAMP)
	$(PY) -m mkdocs build --strict

bench: $(BENCH_STAMP)
	$(PY) -m tests.benchmarks $(ARGS)

latency: $(TEST_STAMP)
	$(PY) -m tests.benchmarks.latency $(ARGS)

live: $(TEST_STAMP)
	$(PY) -m tests.benchmarks.toy_live $(ARGS)

likelihood: $(TEST_STAMP)
	$(PY) -m tests.benchmarks.likelihood_table $(ARGS)

translation: $(TEST_STAMP)
	$(PY) -m tests.benchmarks.translation $(ARGS)

samples-score: $(TEST_STAMP)
	$(PY) -m tests.benchmarks.samples_score $(ARGS)

toys: $(TEST_STAMP)
	$(PY) -m tests.benchmarks.toys_table $(ARGS)

# The environment is made when it is missing and brought up to date when pyproject.toml has changed since.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Flow Explorer needs Python 3.11 or newer, and $(PYTHON) is not one: try make PYTHON=python3.12 run." >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments here: install its venv package (on Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): pyproject.toml | $(PY)
	@echo "Installing Flow Explorer into $(VENV) (PyTorch is large: this takes minutes the first time)."
	@$(PIP_READY)
	$(PY) -m pip install --quiet --editable .
	@touch $@

$(TEST_STAMP): pyproject.toml $(CONSTRAINTS) | $(PY)
	@echo "Installing Flow Explorer and its test tools into $(VENV) (PyTorch is large: this takes minutes the first time)."
	@$(PIP_READY)
	$(PY) -m pip install --quiet $(addprefix --constraint ,$(CONSTRAINTS)) --editable '.[test]'
	@touch $(RUN_STAMP) $@

$(BENCH_STAMP): pyproject.toml | $(PY)
	@echo "Installing Flow Explorer and the libraries that it is measured against into $(VENV) (PyTorch is large)."
	@$(PIP_READY)
	$(PY) -m pip install --quiet --editable '.[test,bench]'
	@touch $(RUN_STAMP) $(TEST_STAMP) $@

$(DOCS_STAMP): pyproject.toml | $(PY)
	@$(PIP_READY)
	$(PY) -m pip install --quiet --editable '.[docs]'
	@touch $(RUN_STAMP) $@

clean:
	rm -rf build dist site .pytest_cache .ruff_cache .hypothesis
	find app flowcore tests -name __pycache__ -type d -prune -exec rm -rf {} +
