# Everything a person runs. The Python environment is .venv/ of this checkout.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint lock check clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(BIN)/.installed ## the real webhook over HTTPS on a sample cluster: who gets which GPU and why
	@$(BIN)/gpu-sharing demo

test: $(BIN)/.installed ## all tests that need no cluster
	@$(BIN)/python -m pytest -n 2

lint: $(BIN)/.installed ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lock: $(BIN)/.installed ## requirements.txt of the image, with hashes, from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-header --group image pyproject.toml --output-file requirements.txt

check: lint test ## what CI runs, but for the demo

clean: ## remove the environment and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
