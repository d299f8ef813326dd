# Every command sets up what it needs; a second run reinstalls nothing unless the files below change.
PYTHON ?= python3
BIN := .venv/bin
SET_UP := .venv/installed
TSC := .venv/js/node_modules/.bin/tsc
SUDO := $(shell test "$$(id -u)" = 0 || command -v sudo)

.PHONY: help demo test check lab bench docs gallery fix size clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(SET_UP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'fitscope needs Python 3.11 or newer; name one with: make PYTHON=python3.12'; exit 1; }
	@echo 'Setting up .venv (once; PyTorch makes this a minute or two) ...'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	@touch $@

demo: $(SET_UP) ## Train on rings and on a real table, with a report each
	$(BIN)/fitscope fit rings-3 --out demo/rings-3
	@echo
	$(BIN)/fitscope data breast-cancer -o demo/breast-cancer.csv
	$(BIN)/fitscope fit demo/breast-cancer.csv --target diagnosis --out demo/breast-cancer
	@echo
	@echo 'Open in a browser:'
	@echo '  demo/rings-3/report.html'
	@echo '  demo/breast-cancer/report.html'

# The tests drive a browser: on Debian it is installed where it is missing, elsewhere they say how.
define CHROMIUM
@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	command -v google-chrome >/dev/null || \
	{ command -v apt-get >/dev/null && $(SUDO) apt-get update -qq && \
	$(SUDO) apt-get install -y -qq chromium >/dev/null; } || \
	{ echo 'The tests drive a browser: install Chromium or Google Chrome, and try again.'; exit 1; }
endef

test: $(SET_UP) ## Run every test
	$(CHROMIUM)
	$(BIN)/pytest -n auto

check: $(SET_UP) ## Check format, lint, types and the fast tests, in a minute or two
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if command -v npm >/dev/null; then test -x $(TSC) || \
		npm install --silent --no-fund --no-audit --prefix .venv/js typescript@7.0.2; $(TSC) -p jsconfig.json; \
		else echo 'npm is not here: the types of the page are left unchecked'; fi
	$(BIN)/pytest -n auto -m 'not slow'

lab: $(SET_UP) ## Open the lab: see a model learn, in the browser
	$(BIN)/fitscope lab

bench: $(SET_UP) ## Time fitscope against its peers, side by side
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[bench]'
	$(CHROMIUM)
	$(BIN)/python -m bench

docs: $(SET_UP) ## Render the guide, the design and the lessons to docs/_build/html
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[docs]'
	$(BIN)/python -m sphinx -W --keep-going -q -d docs/_build/doctrees docs docs/_build/html
	@echo 'Open in a browser: docs/_build/html/index.html'

gallery: $(SET_UP) ## Draw every view, by both libraries, light and dark, on one page
	$(BIN)/python docs/gallery.py

fix: $(SET_UP) ## Format, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

size: ## Count the lines of each file
	@git ls-files 'src/*.py' 'tests/*.py' | xargs wc -l | sort -n

clean: ## Remove what the other commands made
	rm -rf .venv demo runs docs/_build docs/lessons .pytest_cache .mypy_cache .ruff_cache .hypothesis
