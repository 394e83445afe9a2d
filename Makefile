# Everything here runs from a fresh clone: it needs make, Python 3.11 to 3.14 and a package index, and makes its own
# environment in .venv.  It works in a folder whose path has a space in it: make splits paths there, so all of these are
# relative; the first line of a console script may not stand it either, so scripts are called as modules.
#
#   make test ARGS="tests/dedup -k jaccard"     options for pytest
#   make demo PYTHON=python3.13                 another Python
#   make readers READERS=oldest                 one set of versions instead of all

PYTHON ?= python3
ARGS ?=
INSTALLED := .venv/installed

.PHONY: help demo test faults kills readers check clean

help:
	@echo "make demo    crawl the example web, make a corpus from it, train a small model on it (demo/)"
	@echo "make test    run the tests"
	@echo "make faults  kill runs, let disks fail and damage files, for minutes or hours"
	@echo "make kills   kill trainings of every kind at random moments, and compare what comes out"
	@echo "make readers open the demo's corpus with old and new versions of DuckDB, pyarrow, Polars, Spark and others"
	@echo "make check   lint and check types"
	@echo "make clean   remove what the others made: .venv, demo, caches"

demo: $(INSTALLED)
	@.venv/bin/python -m examples.demo $(ARGS)

test: $(INSTALLED)
	@.venv/bin/python -m pytest -n logical --maxprocesses 8 --dist loadfile $(ARGS)

faults: $(INSTALLED)
	@.venv/bin/python -m tests.faults $(ARGS)

kills: $(INSTALLED)
	@.venv/bin/python -m tests.train.kills $(ARGS)

readers: demo
	@.venv/bin/python -m tests.readers $(READERS)

check: $(INSTALLED)
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy

clean:
	rm -rf .venv demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so an interrupted installation is taken up again.
$(INSTALLED): pyproject.toml constraints.txt hatch_build.py
	@"$(PYTHON)" -c '' 2>/dev/null || { \
	  echo "corpusmill needs Python 3.11 to 3.14, but '$(PYTHON)' does not run: install it, or name another with PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { \
	  echo "corpusmill needs Python 3.11 to 3.14, but '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1): name another with PYTHON=..." >&2; exit 1; }
	@echo "installing into .venv (once; a few minutes on a slow connection) ..."
	@if uv --version >/dev/null 2>&1; then \
	  { test -x .venv/bin/python || uv venv --quiet --python "$(PYTHON)" .venv; } && \
	  uv pip install --quiet --python .venv/bin/python -c constraints.txt -e '.[dev]'; \
	elif ! "$(PYTHON)" -c 'import ensurepip' 2>/dev/null; then \
	  echo "'$(PYTHON)' cannot make an environment: install its venv module (Debian: python3-venv) or uv" >&2; exit 1; \
	else \
	  { test -x .venv/bin/pip || "$(PYTHON)" -m venv .venv; } && \
	  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'; \
	fi
	@touch $(INSTALLED)
