# The verbs of the project. `make help` lists them.

# macOS has make 3.81, which knows no .SHELLFLAGS.
SHELL := bash -euo pipefail
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The tests look for binaries there, whatever the user's environment says.
export CARGO_TARGET_DIR := $(CURDIR)/target
unexport CARGO_BUILD_TARGET
PORT ?= 5000
FORMAT ?= component

comma := ,
space := $() $()
# The text $(1) as one word of the shell.
quoted = '$(subst ','\'',$(1))'
# The path $(1) as an absolute one. make's own function takes a space as the end of a path.
absolute = $(if $(filter /%,$(firstword $(1))),$(1),$(CURDIR)/$(1))

# Tools and binaries that the tests need. make has no way to write a target with a
# space, so such a path is replaced by one in the checkout.
user_cache := $(or $(XDG_CACHE_HOME),$(if $(HOME),$(HOME)/.cache))
CACHE := $(if $(findstring $(space),$(or $(user_cache),$(space))),$(if $(findstring $(space),$(CURDIR)),,$(CURDIR)/)target/cache,$(user_cache)/swiss)

# Every Cargo command selects all packages, and says by `--bin`, `--lib`, `--test`
# and the like which of them it builds. Cargo unites the features of what is
# selected, so a command with another selection compiles the dependencies again.
WORKSPACE := --release --locked --workspace
# With the features that only tests turn on.
TESTED := $(WORKSPACE) --features swiss-node-installer/crash-points,swiss-node-installer/cluster-tests

# Builds the binaries $(1) into target/release. If a configuration file names a target,
# be it another machine's, Cargo gets that of this machine, and builds into its folder.
cargo_build = cargo build $(WORKSPACE) $(1:%=--bin %) $(addprefix --target ,$(host_target)) || { $(unlocked); exit 1; }; $(if $(host_target), \
  mkdir -p target/release && cd target/$(host_target)/release && ln -f $(1) ../../release)
# This machine's target, if a configuration file names any. Asked once.
host_target = $(eval host_target := $(if $(configured_target),$(shell rustc --print host-tuple)))$(host_target)
configured_target = $(shell env -u CARGO_BUILD_TARGET RUSTC_BOOTSTRAP=1 cargo -Z unstable-options config get build.target 2>/dev/null)
# Cargo's own message does not name the command.
unlocked = [[ "$$(cargo update --workspace --locked 2>&1)" != *'--locked was passed'* ]] || \
  echo "error: Cargo.lock does not have what a Cargo.toml names: run \`cargo update --workspace\`, which upgrades nothing" >&2

# `spin`, if PATH has version 3.6 or newer.
SPIN := $(shell spin --version 2>/dev/null | awk '$$1 == "spin" { split($$2, v, "."); if (v[1] * 100 + v[2] >= 306) print $$1 }')

# The folder named $(1) for what the lock file $(2) pins. Its name has the checksum of
# the lock file, so a change of that file leads to another folder.
locked = $(CACHE)/$(1)-$(firstword $(shell cksum $(2)))
PYTHON := $(call locked,python,requirements.txt)
JCO := $(call locked,jco,tests/outside/package-lock.json)

# Unpacks the Debian packages $(1), of the machine's release or of the suite $(2) from
# the same server, into the folder $@. It installs nothing and needs no root. The last
# step creates the folder, so a folder that exists is complete. apt does not see which
# packages the machine has, because it would prefer a newer one that is installed.
unpack_debian = rm -rf $@.new && mkdir -p $@.new/lists/partial $@.new/archives/partial $@.new/root && \
  $(if $(2),echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_server) $(2) main" >$@.new/sources.list &&) \
  $(private_apt) $(if $(2),$(of_suite)) update && cd $@.new/archives && \
  $(private_apt) $(if $(2),$(of_suite)) download $(1) && \
  for package in *.deb; do dpkg -x $$package ../root; done && mv ../root $@ && rm -r $@.new
private_apt = apt-get -qq -oDebug::NoLocking=1 -oDir::State::status=/dev/null -oAPT::Sandbox::User= -oDir::State::lists=$@.new/lists -oDir::Cache=$@.new
of_suite = -oDir::Etc::sourcelist=$@.new/sources.list -oDir::Etc::sourceparts=/dev/null
debian_server = $$(apt-get indextargets --format '$$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep '/debian/\?$$' | head -n 1)

# The name of the Debian release. BOOKWORM is not empty on Debian 12: its packages need
# its libraries.
CODENAME := $(shell sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)
BOOKWORM := $(filter bookworm,$(CODENAME))

##@ Use

# What serves: `spin up`, which has no access log, or the embedded host.
serve_with_spin := $(if $(filter 1,$(ACCESS_LOG)),,$(SPIN))

.PHONY: up
up: build ## Build what is missing and serve on PORT (5000); ACCESS_LOG=1 prints each request
	@echo "[3/3] Serving. Ctrl-C stops it. In another terminal: curl 127.0.0.1:$(if $(filter 0,$(PORT)),THE_PORT_BELOW,$(PORT))/will"
	@! (: >/dev/tcp/::1/$(PORT)) 2>/dev/null || \
	  echo "note: another program listens on [::1]:$(PORT), and localhost may lead there: ask 127.0.0.1"
	exec $(if $(serve_with_spin),spin up,target/release/swiss-host) --listen 127.0.0.1:$(PORT)$(if $(filter 1,$(ACCESS_LOG)), --access-log)

# Serving is the third step of `make up`.
steps := $(if $(filter up,$(MAKECMDGOALS)),3,2)

.PHONY: build
build: ready ## Build the component target/swiss.wasm
	@echo "[1/$(steps)] Compiling the tools: 210 crates and some minutes the first time, one second later."
	@$(call cargo_build,swiss-build $(if $(serve_with_spin),,swiss-host))
	@echo "[2/$(steps)] Building the component."
	target/release/swiss-build

# The tests need these binaries even if Spin is installed.
.PHONY: tools
tools: ready
	@$(call cargo_build,swiss-build swiss-host swiss-push)

.PHONY: push
push: build ## Push to IMAGE, as FORMAT (component or spin); FORCE=1 replaces a tag, PLAIN_HTTP=1 needs no TLS
	@$(call cargo_build,swiss-push)
	$(strip target/release/swiss-push --format $(FORMAT) $(if $(filter-out 0,$(FORCE)),--force) $(if $(SPIN),--spin spin) $(IMAGE))

# The name is in two parts so that renaming does not change it.
original := swi$()ss
refuse = { echo "error: $(1)" >&2; exit 2; }

.PHONY: rename
rename: ## Give this checkout the name NAME of your own service, in every file
	@[[ "$(NAME)" =~ ^[a-z][a-z0-9]{0,39}$$ ]] || $(call refuse,set NAME to at most 40 lower-case letters and digits that begin with a letter: make rename NAME=hello)
	@grep -q '^name = "$(original)"$$' Cargo.toml || $(call refuse,this checkout has another name than $(original) already: restore the original files before you rename them)
	@[[ -z "$$(git status --porcelain)" ]] || $(call refuse,commit or stash your changes first$(comma) so that git can undo the renaming)
	@taken=$$(git grep -lw '$(NAME)' -- $$(git grep -l '$(original)' -- '*.lock' '*.mk' '*.py' '*.rs' '*.toml' '*.tpl' '*.yaml') | sed -n 1,3p) || true; \
	  [[ -z "$$taken" ]] || $(call refuse,$(NAME) has a meaning in $$(echo $$taken): choose another name)
	@git grep -ilz '$(original)' -- ':!CHANGELOG.md' ':!docs/your-own-service.md' | \
	  xargs -0 perl -pi -e 'BEGIN { $$name = shift } s/$(original)/$$name/g; s/\u$(original)/\u$$name/g; s/\U$(original)/\U$$name/g' $(NAME)
# Cargo sorts its lock file, and rustfmt the imports.
	@cargo update --workspace --offline --quiet
	@cargo fmt --all
	@echo "This is $(NAME) now. git diff shows what changed, and git restore . undoes it."

.PHONY: doctor
doctor: ## Say what is missing for which verb, and how to get it; VERBS="up test" asks for these
	@$(doctor) $(VERBS)

doctor = MAKE_VERSION=$(MAKE_VERSION) ./doctor.sh

# Before a verb compiles anything, its tools and variables are checked.
.PHONY: ready
ready:
	@$(doctor) $(or $(filter up push test test-url bench e2e,$(MAKECMDGOALS)),build) >/dev/null
	@PORT=$(call quoted,$(PORT)) FORMAT=$(call quoted,$(FORMAT)) ./arguments.sh $(MAKECMDGOALS)

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-23s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Test

.PHONY: test
test: ready ## Run everything that needs no cluster
	$(call in_turn,test-repository lint test-build test-component test-outside test-packaging test-service test-chart test-installer test-bench)
	@echo "All tests passed."

# Makes the targets $(1) one after the other, and prints at the end how long each took.
in_turn = @times=; for part in $(1); do SECONDS=0; $(MAKE) $$part; \
  times+=$$(printf '%6d s  %s' $$SECONDS $$part)$$'\n'; done; printf '\n%s\n' "$$times"

.PHONY: test-repository
test-repository: $(PYTHON)/installed ## Compare ARCHITECTURE.md, links and Makefile with the repository
	$(PYTHON)/bin/python -m pytest tests/repository

.PHONY: test-build
test-build: build $(PYTHON)/installed ## Build where Cargo and the machine are set up otherwise
	BUSYBOX=$(BUSYBOX) $(PYTHON)/bin/python -m pytest tests/build $(PYTEST_ARGS)

.PHONY: test-component
test-component: build-variants ## Test the component and the tools, in Rust
	cargo test $(TESTED) --lib --bin swiss-build --bin swiss-host --bin swiss-push --test contract --test host --test reuse
	cargo test $(TESTED) --test component -- --show-output
	cargo test $(TESTED) --doc

.PHONY: test-url
test-url: ready ## Test the contract at URL; PROXY=1 leaves out what a proxy may answer by itself
	@SWISS_URL=$(call quoted,$(URL)) cargo test $(TESTED) --test contract $(if $(filter 1,$(PROXY)),-- --skip direct::)

.PHONY: test-outside
test-outside: build tools $(PYTHON)/installed $(JCO)/installed ## Ask the reconstructed original, a second runtime and outside judges
	SWISS_JCO=$(JCO)/node_modules/@bytecodealliance/jco/dist/jco.js $(PYTHON)/bin/python -m pytest tests/outside

.PHONY: test-service
test-service: build tools packaging-tools $(HELM4) ## Follow docs/your-own-service.md on a copy of the repository
	REGISTRY=$(DOCKER_REGISTRY) HELM4=$(HELM4) $(PYTHON)/bin/python -m pytest tests/service

.PHONY: build-variants
build-variants: build ## Build the component with Debian's compiler, too
ifneq ($(BOOKWORM),)
	target/release/swiss-build --std debian --output target/variants/abort.wasm
	target/release/swiss-build --std debian --panic immediate-abort --output target/variants/immediate-abort.wasm
else
	@echo "skipped: the component by Debian's compiler, which needs Debian 12"
endif

.PHONY: lint
lint: export PATH := $(PYTHON)/bin:$(PATH)
lint: export RUSTDOCFLAGS := --deny warnings
lint: $(PYTHON)/installed ## Check format, style, docs, dependencies, spelling
	typos
	shellcheck .ci/run arguments.sh doctor.sh runtime-class/installer/rustc-static
	ruff check tests e2e bench
	ruff format --check tests e2e bench
	cargo fmt --all --check
	cargo shear
# Offline, cargo-deny also needs the crates of other platforms.
	cargo fetch --locked
	cargo deny --workspace --offline --locked check --deny warnings licenses bans sources
# `make test-shim` lints the stand-in shim, which needs Debian's libraries.
	cargo clippy $(TESTED) --exclude swiss-shim --all-targets
	cargo doc $(TESTED) --exclude swiss-shim --no-deps

# pip installs uv, and uv installs the rest in a fraction of pip's time. uv compiles
# bytecode as pip does: otherwise each start of Flask compiles where Python must not
# write bytecode.
$(PYTHON)/installed:
	python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement <(sed -n '/^uv==/,/# via/p' requirements.txt)
	$(@D)/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python $(@D) requirements.txt
	touch $@

.PHONY: lock
lock: ready $(PYTHON)/installed ## Lock the Python packages of pyproject.toml; UPGRADE=1 takes newer ones
	$(PYTHON)/bin/uv pip compile --quiet --universal --python-version 3.11 --python $(PYTHON) --generate-hashes --no-emit-index-url \
	  --custom-compile-command 'make lock' $(if $(filter-out 0,$(UPGRADE)),--upgrade) \
	  $(addprefix --group ,bench chart e2e lint lock outside packaging) --output-file requirements.txt

$(JCO)/installed:
	mkdir -p $(@D)
	cp tests/outside/package.json tests/outside/package-lock.json $(@D)
	npm ci --prefix $(@D) --no-audit --no-fund
	touch $@

include versions.mk
include tests/outside/outside.mk
include tests/go/go.mk
include tests/chart/chart.mk
include tests/packaging/packaging.mk
include e2e/e2e.mk
include runtime-class/runtime-class.mk
include bench/bench.mk
