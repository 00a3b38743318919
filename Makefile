# `make demo` and `make test` do everything on a fresh machine: environment, installation, run.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Python compiles a module when it is first imported, which most of what comes along never is.
INSTALL := $(PIP) install --quiet --no-compile --constraint constraints.txt
PYTEST ?= -n auto --maxprocesses 4 --dist worksteal

# Threads that wait for each other sleep: where they spin, a busy machine is slower by far.
export OMP_WAIT_POLICY ?= PASSIVE

# Tests start many processes, and each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint generated bench clean
.NOTPARALLEL:

help:
	@echo 'make demo    install, then stream the demo video through networks/x3d.yaml, and verify it'
	@echo 'make test    install, then run all tests'
	@echo 'make lint    install, then check style and types'
	@echo 'make generated  write schemas/, docs/layers.md, docs/errors.md, docs/pictures/, the colours of editors/, the types of codsl.nn and the table of the parser anew'
	@echo 'make bench   install, then measure all networks and draw them: a quiet machine, for hours'
	@echo 'make clean   remove the environment and what tools left behind'

demo: $(VENV)/with-video
	$(BIN)/codsl run networks/x3d.yaml --input demo --verify

test: $(VENV)/with-test
	$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/with-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

generated: $(VENV)/with-video
	$(BIN)/codsl schema > $(VENV)/schema.json
	mv $(VENV)/schema.json schemas/codsl-1.schema.json
	$(BIN)/python -c "from codsl.layers.table import table; from codsl.spec.manual import manual; \
	  print(manual(table()), end='')" > $(VENV)/layers.md
	mv $(VENV)/layers.md docs/layers.md
	$(BIN)/python -c "from codsl.cli.main import parser; from codsl.cli.manual import manual; \
	  print(manual(parser()), end='')" > $(VENV)/commands.md
	mv $(VENV)/commands.md docs/commands.md
	$(BIN)/python -c "from codsl.explanations import page; print(page(), end='')" \
	  > $(VENV)/errors.md
	mv $(VENV)/errors.md docs/errors.md
	$(BIN)/python -c "from codsl.nn.stub import stub; print(stub(), end='')" > $(VENV)/rows.pyi
	mv $(VENV)/rows.pyi codsl/nn/rows.pyi
	PYTHONHASHSEED=0 $(BIN)/python -c "from codsl.syntax.grammar import table; \
	  print(table(), end='')" > $(VENV)/grammar.json
	mv $(VENV)/grammar.json codsl/syntax/grammar.json
	$(BIN)/python -c "from codsl.syntax.colours import coloured; print(coloured(), end='')" \
	  > $(VENV)/colours.json
	mv $(VENV)/colours.json editors/vscode/codsl.tmLanguage.json
	$(BIN)/python docs/pictures/draw.py

bench: $(VENV)/with-test
	$(BIN)/codsl bench --bfloat16 --json $(VENV)/speed.json --svg $(VENV)/speed.svg
	$(BIN)/python tests/benchmarks/speed.py $(VENV)/speed.json
	$(BIN)/python tests/benchmarks/memory.py
	$(BIN)/python tests/benchmarks/start.py
	$(BIN)/python tests/benchmarks/cameras.py

$(VENV)/with-%: pyproject.toml constraints.txt | $(BIN)/pip
	$(INSTALL) --editable '.[$*]'
	@touch $@

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
