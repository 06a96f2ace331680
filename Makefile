# The front door. Every target sets up what it needs, once: virtual environment, pinned install, dbt manifest.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: setup run live test test-spark fuzz dev check format bench bundle docs lock sbom

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
MANIFEST := dbt_project/target/manifest.json
# Where Dagster keeps itself; a path may hold spaces, so it is resolved by the shell.
DATA_DIR = "$$(realpath --canonicalize-missing -- "$${JGB_DATA_DIR:-data}")"

setup: $(MANIFEST)

$(INSTALLED): pyproject.toml requirements.lock
	@echo "setting up $(VENV) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(MANIFEST): $(INSTALLED) $(shell find dbt_project -path dbt_project/target -prune -o -type f -print)
	@echo "preparing the dbt manifest ..."
	@data=$(DATA_DIR) && cd dbt_project && JGB_DATA_DIR="$$data" ../$(BIN)/dbt parse --quiet
	@touch $@

run: setup  ## materialize everything from the archive and publish
	@$(BIN)/python -m jgb_assets

live: setup  ## the same from the publishers; JGB_TRANSPORT=live make dev does so by itself, as they publish
	@JGB_TRANSPORT=live $(BIN)/python -m jgb_assets

test: setup  ## run every test
	@$(BIN)/python -m pytest

test-spark: setup  ## the readers guide's Spark snippet; installs pyspark, needs Java 17
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-spark.lock
	@$(BIN)/python -m pytest -m spark --numprocesses 0 tests/integration/test_spark.py

fuzz: setup  ## ten times the mutants that make test reads, from another seed each time (FUZZ_SEED, FUZZ_MUTANTS)
	@seed=$${FUZZ_SEED:-$$RANDOM$$RANDOM} && echo "FUZZ_SEED=$$seed" && \
		FUZZ_SEED=$$seed FUZZ_MUTANTS=$${FUZZ_MUTANTS:-10} $(BIN)/python -m pytest tests/faults/test_fuzz.py

dev: setup  ## Dagster UI and daemon on http://localhost:3000
	@data=$(DATA_DIR) && mkdir -p "$$data/dagster" && cp dagster.yaml "$$data/dagster/" && \
		DAGSTER_HOME="$$data/dagster" JGB_DATA_DIR="$$data" $(BIN)/dagster dev --workspace workspace.yaml

check: setup  ## format, lint, types, security lint, known vulnerabilities, SQL lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml jgb_assets tools
	@$(BIN)/python tools/audit.py
	@JGB_DATA_DIR=$(abspath dbt_project/target) DBT_TARGET_PATH=$(abspath dbt_project/target/lint) \
		$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models

format: setup  ## mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: run  ## the benchmarks, as a table of ratios
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python tools/bench.py

bundle: setup  ## write the packaged archive anew from ../shared/archive
	@$(BIN)/python tools/build_bundle.py

docs: run  ## write the generated documents anew, from the release that is published
	@$(BIN)/python tools/build_docs.py

lock: $(INSTALLED)  ## resolve requirements.lock anew (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --extra dev \
		--output-file requirements.lock pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group spark \
		--constraint requirements.lock --output-file requirements-spark.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group sbom \
		--constraint requirements.lock --output-file requirements-sbom.lock

# Each package is named by its purl; an index address would say only where this machine gets it, so none is given.
# The lock is flat, which is what the warning left out is about.
sbom: $(INSTALLED)  ## write build/sbom.cdx.json: what requirements.lock pins, as CycloneDX
	@$(PYTHON) -m venv build/sbom
	@build/sbom/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-sbom.lock
	@build/sbom/bin/python -W ignore::UserWarning -m cyclonedx_py requirements --pyproject pyproject.toml --index-url "" \
		--output-reproducible --output-format JSON --output-file build/sbom.cdx.json requirements.lock
