# The node installer's tests, and the containerds that judge it. A part of the
# main Makefile.

containerds = $(1:%=$(CACHE)/containerd-%/usr/bin/containerd)
CONTAINERDS := $(call containerds,$(DEBIAN_CONTAINERD_VERSIONS))
CONTAINERDS_OF_GO := $(call containerds,$(GO_CONTAINERD_VERSIONS))

# Runs the tests' pods: the oldest runc, which every containerd accepts.
RUNC := $(CACHE)/containerd-$(firstword $(DEBIAN_CONTAINERD_VERSIONS))/usr/sbin/runc

# Starts the tests' containerds, and runs the installer's units, as on a real node. It
# runs as a manager of user units, which needs no boot.
SYSTEMD := $(CACHE)/systemd-$(SYSTEMD_VERSION)
$(SYSTEMD):
	$(call unpack_debian,'systemd=$(SYSTEMD_VERSION).*' $(SYSTEMD_LIBRARIES),bookworm)
SYSTEMD_LIBRARIES := libsystemd-shared libacl1 libapparmor1 libaudit1 libblkid1 libcap-ng0 libcap2 libcrypt1 libgcrypt20 libgpg-error0 \
  libip4tc2 libkmod2 liblz4-1 liblzma5 libmount1 libpam0g libpcre2-8-0 libseccomp2 libselinux1 libssl3 libzstd1

# The API server, kubectl and etcd of e2e/, unless you name others.
KUBE_APISERVER ?= $(KUBERNETES)/kube-apiserver
KUBECTL ?= $(E2E_FORKY)/usr/bin/kubectl
ETCD ?= $(E2E_FORKY)/usr/bin/etcd

# The tests on Kubernetes put this binary into an image. It is static, as the
# Dockerfile's is, but linked with glibc: not every machine can get Rust's musl target.
.PHONY: static-installer
static-installer:
	RUSTC_WORKSPACE_WRAPPER="$(CURDIR)/runtime-class/installer/rustc-static" cargo build $(WORKSPACE) --bin node-installer
	mkdir -p target/static && cp target/release/node-installer target/static

# containerd of Debian where the release in CONTAINERD_version still has that version:
# a release to come, as forky is, has only the newest. Otherwise make compiles it, and
# its shim and ctr, in some minutes.
$(CONTAINERDS) $(CONTAINERDS_OF_GO): $(CACHE)/containerd-%/usr/bin/containerd: | $(CACHE)/containerd-% ;

$(CACHE)/containerd-%:
	$(if $(CONTAINERD_$*),$(call unpack_debian,'containerd=$**' runc,$(CONTAINERD_$*)) ||) $(compile_containerd)

# In a separate module: that of 2.0 has replacements, which `go install` refuses.
compile_containerd = { echo "Compiling containerd $*: some minutes." && rm -rf $@.new && mkdir -p $@.new && cd $@.new && \
  go mod init containerd-of-tests && go get $(containerd_commands:%=%@v$*) && \
  $(go_build) -ldflags "-s -w -X $(containerd_module)/version.Version=$*" -o usr/bin/ $(containerd_commands) && \
  mv $@.new $@; }
containerd_module = github.com/containerd/containerd$(if $(filter 1.%,$*),,/v2)
containerd_commands = $(addprefix $(containerd_module)/cmd/,containerd containerd-shim-runc-v2 ctr)

$(RUNC): $(firstword $(CONTAINERDS))

.PHONY: test-installer test-installer-nodes test-installer-cluster

# Nodes with real containerds need root, as the installer does, and Debian's packages.
WITH_NODES := $(and $(BOOKWORM),$(filter 0,$(shell id -u)))
test-installer: $(if $(WITH_NODES),$(CONTAINERDS) $(SYSTEMD)) ## Test the node installer's edits and manifests, and as root on Debian 12 with real containerds
	cargo test $(TESTED) --bin node-installer --test config --test decide --test manifests $(if $(WITH_NODES),--test node)
	$(if $(WITH_NODES),,@echo "skipped: the node installer with real containerds, which needs root and Debian 12")

test-installer test-installer-nodes test-installer-cluster test-installer-versions bench-installer: export SYSTEMD := $(SYSTEMD)
test-installer test-installer-nodes test-installer-cluster bench-installer: export CONTAINERDS := $(subst $(space),:,$(CONTAINERDS))
test-installer test-installer-nodes: export RUNC := $(RUNC)
test-installer-nodes: export BUSYBOX := $(BUSYBOX)
test-installer-nodes: ready $(CONTAINERDS) $(SYSTEMD) $(BUSYBOX) ## Kill the node installer at every step, start pods, and play sequences of faults (needs root; SEQUENCES, SEED)
	cargo test $(TESTED) --test crash
	unshare --mount cargo test $(TESTED) --test pods -- --nocapture

test-installer-cluster bench-installer: export KUBE_APISERVER := $(KUBE_APISERVER)
test-installer-cluster bench-installer: export KUBECTL := $(KUBECTL)
test-installer-cluster bench-installer: export ETCD := $(ETCD)
test-installer-cluster: $(CONTAINERDS) $(SYSTEMD) $(KUBERNETES) $(E2E_FORKY) ## Test the node installer with a real API server (KUBE_APISERVER, KUBECTL, ETCD)
	cargo test $(TESTED) --test cluster

# A measurement and no test: half an hour, and the figures depend on the machine.
.PHONY: bench-installer
bench-installer: export NODES ?= 200
bench-installer: ready $(CONTAINERDS) $(SYSTEMD) $(KUBERNETES) $(E2E_FORKY) ## Count the requests of the installers of NODES (200) nodes to a real API server (needs root)
	cargo test $(TESTED) --test scale -- --nocapture --test-threads=1

.PHONY: test-installer-versions
test-installer-versions: export CONTAINERDS := $(subst $(space),:,$(CONTAINERDS_OF_GO))
test-installer-versions: $(CONTAINERDS_OF_GO) $(SYSTEMD) ## Test the node installer with the containerds that Debian does not have
	cargo test $(TESTED) --test node
