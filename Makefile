# Two commands on a fresh machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
SERVE ?= 1
SOURCE ?= completejourney
WORKSPACE ?= workspace
PORT ?= 5000
HILLSTROM ?= hillstrom.parquet
CUSTOMERS ?= 30000
RUN := .venv/bin/python
TOLD_NOT_TO_SERVE := $(filter 0,$(SERVE))

.DEFAULT_GOAL := help
.PHONY: help setup setup-spark setup-econml check lint test test-long demo bench bench-serve backtest backtest-policy mlflow docs pictures lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | awk -F '\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'

setup: .venv/.ready  ## make .venv and install what is locked, with hashes

.venv/.ready: requirements/uv.txt requirements/dev.txt requirements/install.py pyproject.toml
	@$(PYTHON) requirements/install.py
	@touch .venv/.ready

setup-spark: .venv/.spark  ## add PySpark to .venv, for `features export --engine spark` and its test (needs Java 17)

.venv/.spark: .venv/.ready requirements/spark.txt
	@$(PYTHON) requirements/install.py spark
	@touch .venv/.spark

setup-econml: .venv/.econml  ## add econml to .venv, for the long test that holds our uplift against it

.venv/.econml: .venv/.ready requirements/econml.txt
	@$(PYTHON) requirements/install.py econml
	@touch .venv/.econml

check: lint test  ## all that a change must pass: format, lint, types, docs, tests

lint: setup  ## format, lint, types and generated docs, without changing a file
	@$(RUN) -m ruff format --check --quiet .
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m mypy
	@$(RUN) docs/generate.py --check

test: setup  ## the tests, under ten minutes on two cores
	@$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-long: setup setup-spark setup-econml  ## the tests that take longer
	@$(RUN) -m pytest -m long

demo: setup  ## the whole job on real data, then served on 127.0.0.1:8000 (SERVE=0 stops after the summary; SOURCE=simulated)
	@.venv/bin/churnml demo --source $(SOURCE) $(if $(TOLD_NOT_TO_SERVE),--no-serve)

bench: setup  ## speed, as ratios against baselines of the same run; writes docs/benchmarks.md
	@$(RUN) -m benchmarks

bench-serve: setup  ## what an answer of the service costs beside a bare one, in three minutes; its section of the page (HISTORY=WORKSPACE: from raw history as well)
	@$(RUN) -m benchmarks --only serve $(if $(HISTORY),--workspace '$(HISTORY)')

mlflow: setup  ## MLflow's pages on what was tried in a workspace, on 127.0.0.1:5000 (WORKSPACE=workspace PORT=5000)
	@test -f '$(WORKSPACE)/mlflow/mlflow.db' || { echo "nothing was tracked in $(WORKSPACE): churnml train first" >&2; exit 2; }
	@MLFLOW_DISABLE_TELEMETRY=true .venv/bin/mlflow ui --host 127.0.0.1 --port $(PORT) --workers 1 \
		--backend-store-uri 'sqlite:///$(WORKSPACE)/mlflow/mlflow.db'

backtest: setup  ## accuracy out of time, beside the baselines, with intervals
	@.venv/bin/churnml demo --no-serve
	@.venv/bin/churnml backtest --report docs/backtest.md
	@.venv/bin/churnml backtest --origins 5 --report docs/origins.md
	@.venv/bin/churnml backtest --categories 4 --report docs/next-category.md
	@.venv/bin/churnml backtest --within 14 --within 30 --within 45 --within 120 --report docs/horizons.md

backtest-policy: setup  ## whom an action helps: a market of known truth, and Hillstrom's experiment (CUSTOMERS=30000 HILLSTROM=FILE)
	@$(RUN) -m benchmarks.policy --hillstrom '$(HILLSTROM)'
	@$(RUN) -m benchmarks.policy_market --customers '$(CUSTOMERS)'

docs: setup  ## write docs/data.md and docs/features.md from the declarations
	@$(RUN) docs/generate.py

pictures: setup  ## the pictures of the README and the docs, from the workspace of the demo (needs Chromium)
	@$(RUN) docs/picture.py

lock: setup  ## resolve requirements/*.txt anew: names, versions and hashes, no addresses
	@$(RUN) requirements/lock.py

clean:  ## remove what the commands above made, but not workspace/ and models/
	@rm -rf .venv .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
