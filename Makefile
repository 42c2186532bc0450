# `make gan` on a fresh clone: an environment of its own, the package, the default training.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help gan vae compare test bench clean
.DEFAULT_GOAL := help

help:  ## Show the goals
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

gan: $(VENV)/installed  ## Train the default GAN
	$(BIN)/python -m gan_mnist.train

vae: $(VENV)/installed  ## Train the default VAE
	$(BIN)/python -m vae_mnist.train

compare: $(VENV)/installed  ## Train a short default of both and write a report that compares them
	$(BIN)/python -m gan_vs_vae

test: $(VENV)/installed-test  ## Run the whole test suite
	$(BIN)/ruff check .
	$(BIN)/python -m pytest

bench: $(VENV)/installed  ## Time the training steps beside other ways to do the same work
	$(BIN)/python -m benchmarks.speed

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.12 ..." % v[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ $(VENV)/installed

clean:  ## Remove the environment and what builds leave behind
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
