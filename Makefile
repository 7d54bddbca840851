# run, test and bench are the whole interface; everything they need is made on the way.
PYTHON ?= $(shell command -v python3.11 || echo python3)
PORT ?= 8000
BIN := .venv/bin
FRONTEND := $(shell find web/frontend web/translations hatch_build.py -name node_modules -prune -o -type f ! -name '*.mo' -print 2>/dev/null)

.PHONY: run test bench lint docs lock clean

run: .venv/installed
	@$(BIN)/guiju serve --demo --port $(PORT)

test: .venv/installed lint
	$(BIN)/pytest

bench: .venv/installed
	@$(BIN)/python -m bench

lint: .venv/installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

docs: .venv/installed
	$(BIN)/python -m docs.build

lock:
	uv pip compile --quiet --generate-hashes --upgrade --python-version 3.11 --python-platform x86_64-unknown-linux-gnu --no-emit-index-url --no-emit-find-links --no-emit-index-annotation --custom-compile-command "make lock" --extra dev -o requirements.lock pyproject.toml

clean:
	rm -rf .venv build dist web/static/dist web/frontend/node_modules

.venv/locked: requirements.lock
	@echo "安装依赖，首次约需几分钟 · Installing, a few minutes the first time"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/installed: .venv/locked pyproject.toml $(FRONTEND)
	@echo "构建浏览器文件 · Building what browsers load"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@
