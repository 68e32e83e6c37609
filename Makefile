# Two commands are enough: `make up` and `make test`. `make` alone lists the rest.
# Everything here is one line of shell around tools/bootstrap, python -m pipeline and pytest.

STACK ?= dev
APP ?=
PYTHON ?= python3
READY := . .slipway/env
PIPELINE := $(READY) && python -m pipeline
TARGET := --stack "$(STACK)"

.DEFAULT_GOAL := help
.PHONY: help bootstrap up preview down cluster cluster-down doctor numbers numbers-projects lint test test-unit test-conformance test-e2e test-cluster test-long lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile
	@echo "  STACK=name (default dev) works with up, preview, down and doctor; APP=path/to/django/project with all but down, which needs none."

bootstrap: ## bring the tools: virtual environment, Pulumi, plugins, Docker
	@$(PYTHON) tools/bootstrap

up: bootstrap ## everything to a served page
	@$(PIPELINE) up $(TARGET) $(if $(APP),--app "$(APP)")

preview: bootstrap ## what `make up` would change
	@$(PIPELINE) preview $(TARGET) $(if $(APP),--app "$(APP)")

down: bootstrap ## destroy the stack with its data
	@$(PIPELINE) down $(TARGET)

cluster: bootstrap ## a Kubernetes on this machine, unless you have one (OWN=1: also then; ADDONS="ingress ...": docs/airgap.md)
	@$(READY) && python -m tools.airgap.cluster up $(if $(OWN),--own) $(if $(ADDONS),--addons "$(ADDONS)")

cluster-down: bootstrap ## take that Kubernetes away with all its data
	@$(READY) && python -m tools.airgap.cluster down

doctor: ## what is here, what is missing, the command that mends it
	@if [ -f .slipway/env ] && [ -x .venv/bin/python ]; then $(PIPELINE) doctor $(TARGET) $(if $(APP),--app "$(APP)"); \
	else $(PYTHON) tools/bootstrap --check; fi

lint: bootstrap ## ruff, mypy, whether generated files are fresh, and what CI systems read
	@$(READY) && ruff check && ruff format --check && mypy && python -m pipeline generate --check && python -m tools.ci_files

test: lint test-unit test-conformance test-e2e test-cluster ## every test, with a real Docker daemon and a real cluster

test-unit: bootstrap ## tests that need no daemon
	@$(READY) && python -m pytest -m "not long" tests/unit --cov=components --cov-branch --cov-report=term:skip-covered --cov-fail-under=98

test-conformance: cluster ## the recorded answers of the official plugins
	@$(READY) && python -m pytest -m "not long" tests/conformance

test-e2e: bootstrap ## the README's commands, for real
	@$(READY) && python -m tests.e2e.halves docker

test-cluster: cluster ## stacks on a real cluster: the one of the kubeconfig, or one on this machine
	@$(READY) && python -m tests.e2e.halves cluster

test-long: ADDONS = ingress
test-long: cluster ## what takes longer than CI allows
	@$(READY) && python -m pytest -m long tests

numbers: cluster ## measure what docs/numbers.md shows
	@$(READY) && python -m tools.measure

numbers-projects: bootstrap ## measure what docs/numbers.md shows of projects of different shapes
	@$(READY) && python -m tools.measure_projects

lock: bootstrap ## take new versions into requirements*.txt and the example's
	@$(READY) && uv pip compile --quiet --universal --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	@$(READY) && uv pip compile --quiet --universal --python-version 3.11 --generate-hashes requirements-dev.in -o requirements-dev.txt
