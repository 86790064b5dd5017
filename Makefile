# `make` lists the verbs. Every verb sets up what it needs by itself.
PYTHON ?= python3
BIN := .venv/bin
DAYS ?= 3
TARGET ?= local
WORK ?= work
SHARDS := 8
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo grade lab cluster prove prove-cluster verify-kind test test-all test-labs test-cluster lint bench render course dagster labs clean

help: ## List the verbs and what each does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: ## Make .venv and fetch what the platform needs (does nothing the second time)
	@$(PYTHON) tools/setup.py

demo: setup ## Run three pipelines over real flights, prove them idempotent, write a report (DAYS=3)
	@$(BIN)/batchlab demo --days $(DAYS)

grade: setup ## Grade work/, or WORK=DIR: all ten items, or ITEMS="M03 M10" (see batchlab grade --help)
	@$(BIN)/batchlab grade $(ITEMS) --target $(TARGET) --submission "$(WORK)"

cluster: setup ## Make a kind cluster (or go on with it) with everything on it: UP="--existing --registry …" for another
	@$(BIN)/batchlab cluster up $(UP)

prove: setup ## Prove the grader: every mutant fails, every variant passes; writes docs/kill-matrix.md (SHARD=2/8 for one)
	@$(BIN)/batchlab prove $(if $(SHARD),--shard $(SHARD),--out docs/kill-matrix.md)

test: lint course ## Lint, units, executor, platform, the demo's path on two days, and a lab (10 minutes)
	@$(BIN)/pytest -m "not slow and not cluster"

test-all: course dagster ## Everything, in shards; passed shards of this commit are not run again (SHARD=2/4 for one)
	@$(BIN)/python tools/shards.py $(or $(SHARD),all/$(SHARDS))
	$(if $(SHARD),,@$(BIN)/python tools/shards.py all/12 labs)

test-cluster: setup ## Tests on a real cluster (KUBECONFIG): the goldens (TESTS=pipelines), the platform (TESTS=grader/cluster)
	@$(BIN)/pytest -m "cluster and not slow" $(TESTS)

prove-cluster: setup ## Prove the grader on a cluster: mutants fail there, variants pass (an hour; CASE=ingest-append for one)
	@$(BIN)/pytest -m "cluster and slow" -s grader/cluster grader/prove $(if $(CASE),-k "[$(CASE)]")

lint: setup ## ruff, mypy strict (what steps run, also as Python 3.10: the official Spark image), import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo
	@$(BIN)/mypy --python-version 3.10 $(addprefix -p pipelines.,datatier ingest transform publish)

bench: setup ## Measure speed and memory, as ratios to a plain spark-submit
	@$(BIN)/python tools/bench.py

verify-kind: setup ## On a machine with Docker: make a kind cluster, test it, open Argo's pages, write a report
	@$(BIN)/python tools/verify_kind.py

render: setup ## Write cluster/apps/ and SUPPORT.md anew
	@$(BIN)/python tools/render.py && $(BIN)/python -m pipelines.local.manifest.support --write

lab: course ## Open JupyterLab on the orientation, with the platform running (LAB=3 for another lab)
	@$(BIN)/batchlab lab $(LAB) --work "$(WORK)"

test-labs: course dagster ## Prove the labs: unsolved ones fail, solutions run and score full marks (SHARD=2/12 for one)
	@$(BIN)/python tools/shards.py $(or $(SHARD),all/12) labs

course: setup ## Make .venv-course: JupyterLab and nbgrader
	@$(PYTHON) tools/setup.py --with course

dagster: setup ## Make .venv-dagster: the orchestrator of lab 11
	@$(PYTHON) tools/setup.py --with dagster

labs: setup ## Write labs/ and course/source/ anew from solutions/
	@$(BIN)/python tools/labs.py

clean: ## Remove .batchlab and .venv, after saying what would be lost
	@$(PYTHON) tools/clean.py
