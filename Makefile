# make test   everything that has to hold, from nothing: environment, lint, types, tests
# make help   the other targets

VENV ?= .venv
PYTHON ?= python3
PYTEST_ARGS ?=
BENCH_ARGS ?=
export VENV PYTHON

bin := $(VENV)/bin
pytest := $(bin)/python -m pytest -n 2

.PHONY: help setup check test slow apps bench growth docs ci

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

setup:  ## make the virtual environment, fetch what the tests can use
	@.ci/setup

check: setup  ## lint, formatting, types
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy

test: check  ## check, then all tests but the slow ones and those of large applications
	$(pytest) -m "not slow and not apps" $(PYTEST_ARGS)

slow: setup  ## the tests that take minutes (LITEFERRY_FUZZ_SECONDS=20000 for a night of random input)
	$(pytest) -m slow $(PYTEST_ARGS)

apps:  ## the tests with applications that others wrote: Optuna, JupyterHub, MLflow, Prefect, Label Studio, Wagtail (3 GB)
	@.ci/setup 'jupyterhub>=5' 'mlflow>=3' 'prefect>=3.6 fastapi<0.150' 'label-studio>=1.23' 'wagtail>=8 psycopg[binary]'
	$(pytest) tests/apps $(PYTEST_ARGS)

bench: setup  ## measure against the other tools
	$(bin)/python bench/run.py $(BENCH_ARGS)

growth: setup  ## measure how time and memory grow with rows, columns and values (12 GB of disk)
	$(bin)/python bench/growth.py

docs: setup  ## write the reference from the code, build the pages, warnings are errors
	$(bin)/python docs/generate.py
	$(bin)/python -m mkdocs build --strict

ci:  ## what the continuous integration runs
	@.ci/run
