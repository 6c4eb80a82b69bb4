# The stand-in for Spin's shim. A part of the main Makefile.

# The shim's crates need Debian's protobuf compiler to compile, and libseccomp, which
# they link statically. The packages have no versions, because Debian keeps only the
# newest build.
SHIM_PACKAGES := libprotobuf-dev libprotobuf32 libprotoc32 libseccomp-dev protobuf-compiler
SHIM_ROOT := $(CACHE)/debian-$(CODENAME)-shim
SHIM_LIBRARIES := $(SHIM_ROOT)/usr/lib/$(shell uname -m)-linux-gnu

shim test-shim: export PROTOC := $(SHIM_ROOT)/usr/bin/protoc
shim test-shim: export PROTOC_INCLUDE := $(SHIM_ROOT)/usr/include
shim test-shim: export LIBSECCOMP_LINK_TYPE := static
shim test-shim: export LIBSECCOMP_LIB_PATH := $(SHIM_LIBRARIES)
# protoc's own libraries.
shim test-shim: export LD_LIBRARY_PATH := $(SHIM_LIBRARIES)

.PHONY: shim test-shim

shim: | $(SHIM_ROOT) ## Build the stand-in shim target/release/containerd-shim-spin-v2
	cargo build $(WORKSPACE) --bin containerd-shim-spin-v2

# With clippy's driver as the compiler. `cargo clippy` would first check all
# dependencies, although they are compiled.
test-shim: | $(SHIM_ROOT) ## Lint and test the stand-in shim by itself
	RUSTC_WORKSPACE_WRAPPER=clippy-driver cargo test $(WORKSPACE) --bin containerd-shim-spin-v2

$(SHIM_ROOT):
	$(call unpack_debian,$(SHIM_PACKAGES))
