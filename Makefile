# Everything that can be done here is a verb of this file; `make help` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Cargo's own folder, whatever the user's environment says: tests look there.
export CARGO_TARGET_DIR := $(CURDIR)/target
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/swiss
PORT ?= 5000

# The tools and their tests, always the same choice of packages: with another
# one Cargo would unite other features, and compile wasmtime once more.
TOOLS := --release --locked --package swiss-build --package swiss-host --package swiss-manifest --package swiss-tests

# What is built by itself, so that `make up` does not wait for it.
PUSH := --release --locked --package swiss-push

# Spin, where it is on PATH and is 3.6 or newer.
SPIN := $(shell spin --version 2>/dev/null | awk '$$1 == "spin" { split($$2, v, "."); if (v[1] * 100 + v[2] >= 306) print $$1 }')

# What the tests need of PyPI and npm, in folders named by the lock file's
# content: a changed lock file is another folder, and the file's time means nothing.
locked = $(CACHE)/$(1)-$(firstword $(shell sha256sum $(2)))
PYTHON := $(call locked,python,requirements.txt)
JCO := $(call locked,jco,tests/outside/package-lock.json)

# Debian packages $(1), of the machine's own release or of the suite $(2) from the
# same server, unpacked into the folder $@: nothing is installed, no root is
# needed, and the folder is there only when it is whole.
unpack_debian = rm -rf $@.new && mkdir -p $@.new/lists/partial $@.new/archives/partial $@.new/root && \
  $(if $(2),echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_server) $(2) main" >$@.new/sources.list &&) \
  $(private_apt) $(if $(2),$(of_suite)) update && cd $@.new/archives && \
  $(private_apt) $(if $(2),$(of_suite)) download $(1) && \
  for package in *.deb; do dpkg -x $$package ../root; done && mv ../root $@ && rm -r $@.new
private_apt = apt-get -qq -oDebug::NoLocking=1 -oAPT::Sandbox::User= -oDir::State::lists=$@.new/lists -oDir::Cache=$@.new
of_suite = -oDir::Etc::sourcelist=$@.new/sources.list -oDir::Etc::sourceparts=/dev/null
debian_server = $$(apt-get indextargets --format '$$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep '/debian/\?$$' | head -n 1)

# Debian's release, where this is one. BOOKWORM is not empty on Debian 12, whose
# packages are linked to its own libraries.
CODENAME := $(shell sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)
BOOKWORM := $(filter bookworm,$(CODENAME))

##@ Use

.PHONY: up
up: build $(if $(SPIN),,tools) ## Build what is missing and serve on PORT (5000)
	exec $(if $(SPIN),spin up,target/release/swiss-host) --listen 127.0.0.1:$(PORT)

.PHONY: build
build: ## Build the component target/swiss.wasm
	cargo build $(if $(SPIN),--release --locked --package swiss-build,$(TOOLS))
	target/release/swiss-build

.PHONY: tools
tools:
	cargo build $(TOOLS)

.PHONY: push
push: FORMAT ?= component
push: build ## Push to IMAGE, as FORMAT (component or spin); FORCE=1 replaces a tag
	$(if $(IMAGE),,$(error IMAGE is not set: make push IMAGE=gcr.io/PROJECT/swiss:v1))
	cargo build $(PUSH)
	$(strip target/release/swiss-push --format $(FORMAT) $(if $(filter-out 0,$(FORCE)),--force) $(if $(SPIN),--spin spin) $(IMAGE))

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-23s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Test

.PHONY: test
test: lint test-component test-outside test-packaging test-chart test-installer test-bench ## Run everything that needs no cluster
	@echo "All tests passed."

.PHONY: test-component
test-component: build-variants ## Test the component and the host, in Rust
	cargo test --locked --package swiss --lib
	cargo test $(TOOLS)
	cargo test $(TOOLS) --test component -- --show-output
	cargo test $(PUSH)

.PHONY: test-outside
test-outside: build tools $(PYTHON)/installed $(JCO)/installed ## Ask the original, a second runtime and outside judges
	SWISS_JCO=$(JCO)/node_modules/@bytecodealliance/jco/dist/jco.js $(PYTHON)/bin/python -m pytest tests/outside

.PHONY: build-variants
build-variants: build ## Build the component with Debian's compiler, too
ifneq ($(BOOKWORM),)
	target/release/swiss-build --std debian --output target/variants/abort.wasm
	target/release/swiss-build --std debian --panic immediate-abort --output target/variants/immediate-abort.wasm
else
	@echo "skipped: the component by Debian's compiler, which takes Debian 12"
endif

.PHONY: lint
lint: export PATH := $(PYTHON)/bin:$(PATH)
lint: export RUSTDOCFLAGS := --deny warnings
lint: $(PYTHON)/installed ## Check format, style, docs, dependencies, spelling
	cargo fmt --all --check
	cargo clippy --locked --package swiss --all-targets
	cargo clippy $(TOOLS) --all-targets
	cargo clippy $(PUSH) --all-targets
	cargo clippy $(INSTALLER) --all-targets
	cargo doc --locked --package swiss --no-deps
	cargo doc $(TOOLS) --no-deps
	cargo doc $(PUSH) --no-deps
	cargo doc $(INSTALLER) --no-deps
	cargo shear
# Offline, cargo-deny wants also the crates of other platforms to be there.
	cargo fetch --locked
	cargo deny --workspace --offline --locked check --deny warnings licenses bans sources
	typos
	shellcheck .ci/run
	ruff check tests e2e bench
	ruff format --check tests e2e bench

# pip installs uv, and uv the rest. It compiles as pip does: otherwise Flask would
# at each start, where Python may not write bytecode.
$(PYTHON)/installed:
	python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement <(sed -n '/^uv==/,/# via/p' requirements.txt)
	$(@D)/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python $(@D) requirements.txt
	touch $@

.PHONY: lock
lock: $(PYTHON)/installed ## Lock the Python packages of pyproject.toml; UPGRADE=1 takes newer ones
	$(PYTHON)/bin/uv pip compile --quiet --universal --python-version 3.11 --python $(PYTHON) --generate-hashes --no-emit-index-url \
	  --custom-compile-command 'make lock' $(if $(filter-out 0,$(UPGRADE)),--upgrade) \
	  $(addprefix --group ,bench chart e2e lint lock outside packaging) --output-file requirements.txt

$(JCO)/installed:
	mkdir -p $(@D)
	cp tests/outside/package.json tests/outside/package-lock.json $(@D)
	npm ci --prefix $(@D) --no-audit --no-fund
	touch $@

include tests/chart/chart.mk
include tests/packaging/packaging.mk
include e2e/e2e.mk
include runtime-class/runtime-class.mk
include bench/bench.mk
