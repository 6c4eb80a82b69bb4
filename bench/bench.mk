# The benchmark and its tools, whose versions stand here only. A part of the main
# Makefile.
STRACE_VERSION := 6.1
VALGRIND_VERSION := 3.19.0
VEGETA_VERSION := 12.13.0
WRK_VERSION := 4.1.0

# The versions are those of the sources: Debian keeps only its newest build of
# them. Elsewhere they are those of PATH.
VEGETA := $(CACHE)/vegeta-$(VEGETA_VERSION)/vegeta
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

$(VEGETA):
	$(call go_install,github.com/tsenart/vegeta/v12@v$(VEGETA_VERSION))

BENCH := target/bench
# What we compare with: see bench/peers/README.md.
STOCK := $(BENCH)/spin-rust.wasm
FLOOR := $(BENCH)/floor.wasm
jco = node $(JCO)/node_modules/@bytecodealliance/jco/dist/jco.js

.PHONY: bench bench-compare bench-docs bench-components optimized test-bench

# What is timed is compiled as Spin is; what is counted in `make test` is not, so
# that the test does not wait for it.
optimized:
	cargo build --profile optimized --locked --package swiss-host --package swiss-tests --bin swiss-host --example probe

bench bench-compare: export BENCH_PROFILE := optimized
bench: build optimized bench-components $(VEGETA) $(STRACE_ROOT) $(VALGRIND_ROOT) $(WRK_ROOT) ## Measure side by side with Flask, Go, native Rust and stock Spin; QUICK=1 takes 4 minutes
	cargo build $(PUSH)
	cargo build --release --locked --manifest-path bench/peers/axum/Cargo.toml --target-dir $(BENCH)/axum
	cd bench/peers/go && go build -trimpath -ldflags '-s -w' -o $(CURDIR)/$(BENCH)/go-peer
	cd bench && $(bench_tools) VEGETA=$(VEGETA) $(PYTHON)/bin/python -m harness $(if $(filter-out 0,$(QUICK)),--quick) $(if $(filter-out 0,$(NOISY)),--noisy)

bench-compare: build optimized bench-components $(VALGRIND_ROOT) ## Measure the component beside the one in the file BEFORE
	cd bench && $(bench_tools) $(PYTHON)/bin/python -m harness.compare $(abspath $(BEFORE))

bench-docs: $(PYTHON)/installed ## Write the figures of bench/results into README and docs
	cd bench && $(PYTHON)/bin/python -m harness.documents

test-bench: build bench-components $(VALGRIND_ROOT) ## Hold the work for a request to its limits, and the documents to the results
	cargo build $(TOOLS) --example probe
	$(bench_tools) $(PYTHON)/bin/python -m pytest bench/tests $(PYTEST_ARGS)

# What the component is compared with.
bench-components: build $(FLOOR) $(PYTHON)/installed $(JCO)/installed
	target/release/swiss-build --module-of bench/peers/spin-rust --output $(BENCH)/spin-rust.module.wasm
	$(MAKE) $(STOCK)

# As Spin does when it loads a module.
$(STOCK): $(BENCH)/spin-rust.module.wasm | $(JCO)/installed
	$(jco) new --wasi-reactor $< --output $@

$(FLOOR): bench/peers/floor.wat bench/harness/strip.py | $(JCO)/installed
	mkdir -p $(@D)
	$(jco) parse $< --output $@.names
	python3 bench/harness/strip.py $@.names $@
