# The node installer's tests, and the containerds that judge it. A part of the
# main Makefile.

# The release of Debian that has each.
CONTAINERD_1.6.20 := bookworm
CONTAINERD_1.7.24 := trixie
CONTAINERD_2.1.9 := forky
CONTAINERD_FOLDERS := $(foreach version,1.6.20 1.7.24 2.1.9,$(CACHE)/containerd-$(version))
CONTAINERDS := $(CONTAINERD_FOLDERS:%=%/usr/bin/containerd)

# What the tests' pods are run by: the oldest runc that all of them take.
RUNC := $(CACHE)/containerd-1.6.20/usr/sbin/runc

# An API server and etcd: those of e2e/, if no others are given.
KUBE_APISERVER ?= $(KUBERNETES)/kube-apiserver
KUBECTL ?= $(KUBERNETES)/kubectl
ETCD ?= $(E2E_FORKY)/usr/bin/etcd

# Always the same choice of features, as with $(TOOLS).
INSTALLER := --release --locked --package swiss-node-installer --features crash-points,cluster-tests

# What the tests on Kubernetes put into an image: static, as the Dockerfile's is.
# That has musl for it, which takes a target that not every machine can get.
STATIC_INSTALLER := $(CARGO_TARGET_DIR)/static/node-installer

.PHONY: static-installer
static-installer:
	cargo rustc --release --locked --package swiss-node-installer --bin node-installer -- -C target-feature=+crt-static
	install -D $(CARGO_TARGET_DIR)/release/node-installer $(STATIC_INSTALLER)

# The version is that of the sources: Debian keeps only its newest build of them.
$(CONTAINERD_FOLDERS): $(CACHE)/containerd-%:
	$(call unpack_debian,'containerd=$**' runc,$(CONTAINERD_$*)) || \
	  { echo "Debian's $(CONTAINERD_$*) has no containerd $* any more: set the new version in runtime-class/runtime-class.mk" >&2; exit 1; }

$(CONTAINERDS): %/usr/bin/containerd: | % ;

$(RUNC): $(firstword $(CONTAINERDS))

.PHONY: test-installer test-installer-nodes test-installer-cluster

space := $() $()
# Nodes with real containerds take root, as the installer does, and Debian's packages.
WITH_NODES := $(and $(BOOKWORM),$(filter 0,$(shell id -u)))
test-installer: $(if $(WITH_NODES),$(CONTAINERDS)) ## Test the node installer's edits and manifests, and as root on Debian 12 with real containerds
	cargo test $(INSTALLER) --lib --bins --test config --test manifests $(if $(WITH_NODES),--test node)
	$(if $(WITH_NODES),,@echo "skipped: the node installer with real containerds, which takes root and Debian 12")

test-installer test-installer-nodes test-installer-cluster: export CONTAINERDS := $(subst $(space),:,$(CONTAINERDS))
test-installer test-installer-nodes: export RUNC := $(RUNC)
test-installer-nodes: export BUSYBOX := $(BUSYBOX)
test-installer-nodes: $(CONTAINERDS) $(BUSYBOX) ## Kill the node installer at every step, and start pods after it (takes root)
	cargo test $(INSTALLER) --test crash --test pods

test-installer-cluster: export KUBE_APISERVER := $(KUBE_APISERVER)
test-installer-cluster: export KUBECTL := $(KUBECTL)
test-installer-cluster: export ETCD := $(ETCD)
test-installer-cluster: $(CONTAINERDS) $(KUBERNETES) $(E2E_FORKY) ## Test the node installer with a real API server (KUBE_APISERVER, KUBECTL, ETCD)
	cargo test $(INSTALLER) --test cluster

# The containerds that no Debian release has, from their Go module: some minutes
# each, and the shim is not built, so that no pods are started.
CONTAINERDS_OF_GO := $(patsubst %,$(CACHE)/containerd-%/bin/containerd,2.0.14 2.2.9 2.3.7 2.4.2)

$(CONTAINERDS_OF_GO): $(CACHE)/containerd-%/bin/containerd:
	rm -rf $(CACHE)/containerd-$*.new
	mkdir -p $(CACHE)/containerd-$*.new
# In a module of its own: 2.0's has replacements, which `go install` refuses.
	cd $(CACHE)/containerd-$*.new && go mod init containerd-of-tests && \
	  go get github.com/containerd/containerd/v2/cmd/containerd@v$* && \
	  CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X github.com/containerd/containerd/v2/version.Version=$*" \
	    -o bin/containerd github.com/containerd/containerd/v2/cmd/containerd
	mv $(CACHE)/containerd-$*.new $(CACHE)/containerd-$*

.PHONY: test-installer-versions
test-installer-versions: export CONTAINERDS := $(subst $(space),:,$(CONTAINERDS_OF_GO))
test-installer-versions: $(CONTAINERDS_OF_GO) ## Test the node installer with the containerds that Debian does not have
	cargo test $(INSTALLER) --test node
