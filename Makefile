# make run     set up, build the demonstration province, tell its story, serve its pages
# make test    set up, check the code, run the tests
# PORT=8000 is where the pages are; SERVE=0 tells the story only; PYTHON=... picks a Python.

PORT ?= 8000
SERVE ?= 1
LEDGER ?= var/demo
WORKERS ?= 2
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# Threads of the linear algebra only get in each other's way on a site's small matrices.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: run test check bench bench-pages bench-peers scale slow docs lock clean set-up-run set-up-test

run: set-up-run
	@$(BIN)/cupral demo --folder $(LEDGER)
	@if [ "$(SERVE)" != 0 ]; then exec $(BIN)/cupral --ledger $(LEDGER) serve --port $(PORT); fi

# The tests run even if a check fails, so that one run tells everything.
test: set-up-test
	@status=0; $(MAKE) --no-print-directory check || status=1; \
	$(PYTEST) -n $(WORKERS) --dist loadfile -m "not slow" || status=$$?; exit $$status

check: set-up-test
	@status=0; \
	$(BIN)/ruff check --quiet --output-format concise . || status=1; \
	$(BIN)/ruff format --check --quiet --output-format concise . || status=1; \
	$(BIN)/mypy --no-error-summary || status=1; \
	MYPYPATH=src:tools $(BIN)/mypy --strict --no-error-summary tools || status=1; \
	$(BIN)/lint-imports > .venv/lint-imports.txt || { cat .venv/lint-imports.txt; status=1; }; \
	$(BIN)/python tools/check_layout.py || status=1; \
	exit $$status

# Tests too long for every run.
slow: set-up-test
	@$(PYTEST) -m slow

# Each engine beside its peer.
bench: set-up-test
	@for file in $(filter-out benchmarks/browsing_clients.py,$(wildcard benchmarks/*.py)); do \
	    echo "== $$file"; \
	    OPENBLAS_NUM_THREADS=1 $(BIN)/python $$file || exit 1; done

# The same with the other engines (OSQP, Clarabel, difflow), in an environment of their own.
bench-peers: set-up-test
	@test -x .venv-peers/bin/python || $(BIN)/python -m venv .venv-peers
	@.venv-peers/bin/python -m pip install -q -r requirements.lock -e '.[fast,peers]'
	@$(MAKE) --no-print-directory bench BIN=.venv-peers/bin

# The tests of Spark and the worked ensemble, in an environment of their own (400 MB); needs Java.
scale: set-up-test
	@test -x .venv-scale/bin/python || $(BIN)/python -m venv .venv-scale
	@.venv-scale/bin/python -m pip install -q -r requirements.lock -r requirements-test.lock
	@.venv-scale/bin/python -m pip install -q -e '.[scale]'
	@.venv-scale/bin/python -m pytest -rs tests/ledger/stores/test_ibis.py tests/test_examples.py
	@.venv-scale/bin/python benchmarks/ledger_engines.py

# Write the generated pages again (a test says when they are old).
docs: set-up-test
	@$(BIN)/python tools/write_docs.py

# The pages under 200 browsing clients and 1,000 watchers; the demonstration must be built.
bench-pages: set-up-test
	@$(BIN)/cupral --ledger $(LEDGER) serve --port $(PORT) & server=$$!; sleep 5; \
	url=http://127.0.0.1:$(PORT); \
	$(BIN)/python benchmarks/browsing_clients.py --url $$url --clients 200 \
	    --logins $(LEDGER)/demonstration-logins.json; one=$$?; \
	$(BIN)/python benchmarks/browsing_clients.py --url $$url --watchers 1000; two=$$?; \
	kill $$server; exit $$((one + two))

# Pin what is installed now.
lock: set-up-test
	@$(BIN)/python tools/write_lock.py

clean:
	rm -rf .venv .venv-peers .venv-scale .venv.lock var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	    .import_linter_cache src/*.egg-info
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

set-up-run:
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && "$$python" tools/set_up.py run

set-up-test:
	@python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && "$$python" tools/set_up.py test
