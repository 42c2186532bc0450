# `make gan` on a fresh clone: an environment of its own, the package, the default training.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help gan vae compare demo explore failures models docs notebooks test bench clean
.DEFAULT_GOAL := help

help:  ## Show the goals
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

gan: $(VENV)/installed  ## Train the default GAN
	$(BIN)/python -m gan_mnist.train

vae: $(VENV)/installed  ## Train the default VAE
	$(BIN)/python -m vae_mnist.train

compare: $(VENV)/installed  ## Train a short default of both and write a report that compares them
	$(BIN)/python -m gan_vs_vae

demo: $(VENV)/installed  ## Pictures from the trained models that ship with the package, in outputs/demo
	mkdir -p outputs/demo
	$(BIN)/python -m gan_mnist.sample bundled:gan_fast --out outputs/demo/gan_samples.png
	$(BIN)/python -m gan_mnist.interpolate bundled:gan_fast --out outputs/demo/gan_interpolation.png
	$(BIN)/python -m gan_mnist.denoise bundled:gan_mlp --denoiser bundled:denoiser --out outputs/demo/gan_denoised.png
	$(BIN)/python -m vae_mnist.sample bundled:vae_fast --out outputs/demo/vae_samples.png
	$(BIN)/python -m vae_mnist.reconstruct bundled:vae_mlp --out outputs/demo/vae_reconstructions.png
	$(BIN)/python -m vae_mnist.interpolate bundled:vae_mlp --out outputs/demo/vae_interpolation.png

failures: $(VENV)/installed  ## Watch three GANs fail, and read why: 3 minutes
	for name in gan_collapse gan_discriminator_wins gan_oscillates; do \
		$(BIN)/python -m gan_mnist.train --config $$name || exit 1; done
	@echo 'Look at progress.gif, losses.png and health.log in each folder; configs/gan_collapse.yaml and'
	@echo 'its neighbours say what to see, why it happens and what cures it.'

explore: $(VENV)/installed  ## A page in which the trained models that ship with the package live, in outputs/
	mkdir -p outputs
	$(BIN)/python -m latent_explorer bundled:gan_fast bundled:vae_fast --out outputs/explore.html --open

models: $(VENV)/installed  ## Make the models that ship with the package again: 20 minutes
	for command in gan_mnist.train 'gan_mnist.train --config gan_fast' vae_mnist.train 'vae_mnist.train --config vae_fast' gan_mnist.train_denoiser; do \
		$(BIN)/python -m $$command && $(BIN)/python -m training_run.cli.bundle latest --leave-out discriminator generator_raw decoder_raw || exit 1; done
	for name in gan_mlp gan_fast vae_mlp vae_fast; do \
		$(BIN)/python -m sample_quality bundled:$$name --out training_run/models/$$name/quality.json || exit 1; done

docs: $(VENV)/installed-test  ## Build the documentation into site/, to be read without a network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo 'Open site/index.html'

notebooks: $(VENV)/installed-test  ## Run the notebooks and write them as pages, in outputs/notebooks: 5 minutes
	mkdir -p outputs/notebooks
	cp notebooks/*.ipynb outputs/notebooks
	cd outputs/notebooks && ../../$(BIN)/python -m nbconvert --execute --to html \
		--CoalesceStreamsPreprocessor.enabled=True *.ipynb

test: $(VENV)/installed-test  ## Run the whole test suite
	$(BIN)/ruff check .
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

bench: $(VENV)/installed  ## Time the training steps beside other ways to do the same work: half an hour
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.presets
	$(BIN)/python -m benchmarks.growth

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
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .ruff_cache
