# The stand-in for Spin's shim. A part of the main Makefile.

# What the shim's crates need to compile: Debian's protobuf compiler, and
# libseccomp, linked statically. Debian keeps only the newest of an update, so
# no version stands here.
SHIM_PACKAGES := libprotobuf-dev libprotobuf32 libprotoc32 libseccomp-dev protobuf-compiler
SHIM_ROOT := $(CACHE)/debian-$(CODENAME)-shim
SHIM_LIBRARIES := $(SHIM_ROOT)/usr/lib/$(shell uname -m)-linux-gnu

# A choice of packages of its own, since `make up` does not wait for it;
# tests/Cargo.toml sees to it that wasmtime is not compiled again.
STAND_IN := --release --locked --package swiss-shim

shim test-shim: export PROTOC := $(SHIM_ROOT)/usr/bin/protoc
shim test-shim: export PROTOC_INCLUDE := $(SHIM_ROOT)/usr/include
shim test-shim: export LIBSECCOMP_LINK_TYPE := static
shim test-shim: export LIBSECCOMP_LIB_PATH := $(SHIM_LIBRARIES)
# Where protoc finds its own libraries.
shim test-shim: export LD_LIBRARY_PATH := $(SHIM_LIBRARIES)

.PHONY: shim test-shim

shim: | $(SHIM_ROOT) ## Build the stand-in shim target/release/containerd-shim-spin-v2
	cargo build $(STAND_IN)

test-shim: | $(SHIM_ROOT) ## Check and test the stand-in shim by itself
	cargo clippy $(STAND_IN) --all-targets
	cargo test $(STAND_IN)

$(SHIM_ROOT):
	$(call unpack_debian,$(SHIM_PACKAGES))
