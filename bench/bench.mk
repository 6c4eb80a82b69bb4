# The benchmark and its tools. A part of the main Makefile.

# Debian 12's tools. Other machines use those on PATH.
ifneq ($(BOOKWORM),)
STRACE_ROOT := $(CACHE)/strace-$(STRACE_VERSION)
VALGRIND_ROOT := $(CACHE)/valgrind-$(VALGRIND_VERSION)
WRK_ROOT := $(CACHE)/wrk-$(WRK_VERSION)
bench_tools = STRACE=$(STRACE_ROOT)/usr/bin/strace VALGRIND=$(VALGRIND_ROOT)/usr/bin/valgrind.bin WRK=$(WRK_ROOT)/usr/bin/wrk
endif

$(CACHE)/strace-$(STRACE_VERSION):
	$(call unpack_debian,'strace=$(STRACE_VERSION)-*' libunwind8)

$(CACHE)/valgrind-$(VALGRIND_VERSION):
	$(call unpack_debian,'valgrind=1:$(VALGRIND_VERSION)-*')

$(CACHE)/wrk-$(WRK_VERSION):
	$(call unpack_debian,'wrk=$(WRK_VERSION)-*' libluajit-5.1-2)

BENCH := target/bench
# The peers: see bench/peers/README.md.
STOCK := $(BENCH)/spin-rust.wasm
FLOOR := $(BENCH)/floor.wasm
jco = node $(JCO)/node_modules/@bytecodealliance/jco/dist/jco.js

.PHONY: bench bench-compare bench-docs bench-components optimized test-bench

# `make bench` times a host that is compiled as Spin is, and without the features that
# other packages turn on. `make test` counts with the host of `make up`, and so does not
# wait for this one.
optimized:
	cargo build --profile optimized --locked --package swiss-host --package swiss-tests --bin swiss-host --example probe

bench bench-compare: export BENCH_PROFILE := optimized
bench: build optimized bench-components $(VEGETA) $(STRACE_ROOT) $(VALGRIND_ROOT) $(WRK_ROOT) ## Measure side by side with Flask, Go, native Rust and stock Spin; QUICK=1 takes 4 minutes
	@$(call cargo_build,swiss-push)
	cargo build --release --locked --manifest-path bench/peers/axum/Cargo.toml --target-dir $(BENCH)/axum
	cargo build --release --locked --manifest-path bench/peers/ceiling/Cargo.toml --target-dir $(BENCH)/ceiling
	cargo build --profile optimized --locked --package swiss-node-installer
	cd bench/peers/go && go build -trimpath -ldflags '-s -w' -o ../../../$(BENCH)/go-peer
	cd bench && $(bench_tools) VEGETA=$(VEGETA) $(PYTHON)/bin/python -m harness $(if $(filter-out 0,$(QUICK)),--quick) $(if $(filter-out 0,$(NOISY)),--noisy) $(if $(SEED),--seed $(SEED))

bench-compare: build optimized bench-components $(VALGRIND_ROOT) ## Measure the component beside the one in the file BEFORE
	cd bench && $(bench_tools) $(PYTHON)/bin/python -m harness.compare $(call quoted,$(call absolute,$(BEFORE)))

bench-docs: $(PYTHON)/installed ## Write the figures of bench/results into README and docs
	cd bench && $(PYTHON)/bin/python -m harness.documents

test-bench: build bench-components $(VALGRIND_ROOT) ## Hold the work for a request to its limits, and the documents to the results
	cargo build $(WORKSPACE) --example probe
	$(bench_tools) $(PYTHON)/bin/python -m pytest bench/tests $(PYTEST_ARGS)

# The components among the peers.
bench-components: build $(FLOOR) $(PYTHON)/installed $(JCO)/installed
	target/release/swiss-build --module-of bench/peers/spin-rust --output $(BENCH)/spin-rust.module.wasm
	$(MAKE) $(STOCK)

# Spin makes a module a component in this way when it loads it.
$(STOCK): $(BENCH)/spin-rust.module.wasm | $(JCO)/installed
	$(jco) new --wasi-reactor $< --output $@

$(FLOOR): bench/peers/floor.wat bench/harness/strip.py | $(JCO)/installed
	mkdir -p $(@D)
	$(jco) parse $< --output $@.names
	python3 bench/harness/strip.py $@.names $@
