# The node installer's tests, and the containerds that judge it. A part of the
# main Makefile.

# The release of Debian that has each, if one has.
CONTAINERD_1.6.20 := bookworm
CONTAINERD_1.7.24 := trixie
CONTAINERD_2.1.9 := forky
containerds = $(1:%=$(CACHE)/containerd-%/usr/bin/containerd)
CONTAINERDS := $(call containerds,1.6.20 1.7.24 2.1.9)
CONTAINERDS_OF_GO := $(call containerds,2.0.14 2.2.9 2.3.7 2.4.2)

# What the tests' pods are run by: the oldest runc that all of them take.
RUNC := $(CACHE)/containerd-1.6.20/usr/sbin/runc

# An API server and etcd: those of e2e/, if no others are given.
KUBE_APISERVER ?= $(KUBERNETES)/kube-apiserver
KUBECTL ?= $(KUBERNETES)/kubectl
ETCD ?= $(E2E_FORKY)/usr/bin/etcd

# What the tests on Kubernetes put into an image: static, as the Dockerfile's is.
# That has musl for it, which takes a target that not every machine can get.
STATIC_INSTALLER := $(CARGO_TARGET_DIR)/static/node-installer

.PHONY: static-installer
static-installer:
	cargo rustc --release --locked --package swiss-node-installer --bin node-installer -- -C target-feature=+crt-static
	install -D $(CARGO_TARGET_DIR)/release/node-installer $(STATIC_INSTALLER)

# The version is that of the sources: Debian keeps only its newest build of them,
# and in a release to come, as forky is, only the newest version. What Debian does
# not have, or has no more, is compiled, with what runs pods, in some minutes.
$(CONTAINERDS) $(CONTAINERDS_OF_GO): $(CACHE)/containerd-%/usr/bin/containerd: | $(CACHE)/containerd-% ;

$(CACHE)/containerd-%:
	$(if $(CONTAINERD_$*),$(call unpack_debian,'containerd=$**' runc,$(CONTAINERD_$*)) ||) $(compile_containerd)

# In a module of its own: 2.0's has replacements, which `go install` refuses.
compile_containerd = { echo "Compiling containerd $*: some minutes." && rm -rf $@.new && mkdir -p $@.new && cd $@.new && \
  go mod init containerd-of-tests && go get $(containerd_commands:%=%@v$*) && \
  $(go_build) -ldflags "-s -w -X $(containerd_module)/version.Version=$*" -o usr/bin/ $(containerd_commands) && \
  mv $@.new $@; }
containerd_module = github.com/containerd/containerd$(if $(filter 1.%,$*),,/v2)
containerd_commands = $(addprefix $(containerd_module)/cmd/,containerd containerd-shim-runc-v2 ctr)

$(RUNC): $(firstword $(CONTAINERDS))

.PHONY: test-installer test-installer-nodes test-installer-cluster

space := $() $()
# Nodes with real containerds take root, as the installer does, and Debian's packages.
WITH_NODES := $(and $(BOOKWORM),$(filter 0,$(shell id -u)))
test-installer: $(if $(WITH_NODES),$(CONTAINERDS)) ## Test the node installer's edits and manifests, and as root on Debian 12 with real containerds
	cargo test $(TESTED) --bin node-installer --test config --test manifests $(if $(WITH_NODES),--test node)
	$(if $(WITH_NODES),,@echo "skipped: the node installer with real containerds, which takes root and Debian 12")

test-installer test-installer-nodes test-installer-cluster: export CONTAINERDS := $(subst $(space),:,$(CONTAINERDS))
test-installer test-installer-nodes: export RUNC := $(RUNC)
test-installer-nodes: export BUSYBOX := $(BUSYBOX)
test-installer-nodes: $(CONTAINERDS) $(BUSYBOX) ## Kill the node installer at every step, and start pods after it (takes root)
	cargo test $(TESTED) --test crash --test pods

test-installer-cluster: export KUBE_APISERVER := $(KUBE_APISERVER)
test-installer-cluster: export KUBECTL := $(KUBECTL)
test-installer-cluster: export ETCD := $(ETCD)
test-installer-cluster: $(CONTAINERDS) $(KUBERNETES) $(E2E_FORKY) ## Test the node installer with a real API server (KUBE_APISERVER, KUBECTL, ETCD)
	cargo test $(TESTED) --test cluster

.PHONY: test-installer-versions
test-installer-versions: export CONTAINERDS := $(subst $(space),:,$(CONTAINERDS_OF_GO))
test-installer-versions: $(CONTAINERDS_OF_GO) ## Test the node installer with the containerds that Debian does not have
	cargo test $(TESTED) --test node
