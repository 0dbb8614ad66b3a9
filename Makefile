# `make demo` and `make test` need nothing but Python 3.11 and make: they set up .venv with the pinned versions first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
NEEDED_GB := 9
# Test files that run side by side.
WORKERS ?= 2

.PHONY: demo test long check lint types caps clean

demo: .venv/ready
	$(BIN)/python -m pix2pix.train --task facades --preset quick --data embedded --out demo
	@echo "input | output | target: $$(ls demo/samples/*.jpg | tail -n 1)"

test: .venv/ready lint types caps
	$(BIN)/python -m pytest -m "not long and not gpu" -n $(WORKERS) --dist loadfile

long: .venv/ready
	$(BIN)/python -m pytest -m long

check: .venv/ready lint types caps
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

caps: .venv/ready
	$(BIN)/python -m pytest tests/test_house.py

.venv/ready: constraints.txt pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version.split()[0])'
	@$(PYTHON) -c 'import os, shutil, sys; free = shutil.disk_usage(".").free / 1e9; \
	sys.exit(not os.path.exists(".venv/bin/pip") and free < $(NEEDED_GB) and f"{free:.1f} GB free here, the install needs $(NEEDED_GB) GB")'
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[app,dev,eval,export,video]"
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info demo
