# The node installer's tests, and the containerds that judge it. A part of the
# main Makefile.

# The release of Debian that has each. Its package's own version is not pinned:
# Debian keeps only the newest of a security update.
CONTAINERD_1.6.20 := bookworm
CONTAINERD_1.7.24 := trixie
CONTAINERD_2.1.9 := forky
CONTAINERD_VERSIONS := 1.6.20 1.7.24 2.1.9
CONTAINERDS := $(CONTAINERD_VERSIONS:%=$(CACHE)/containerd-%/usr/bin/containerd)

# What the tests' pods are run by: the oldest runc that all of them take.
RUNC := $(CACHE)/containerd-1.6.20/usr/sbin/runc

# An API server and etcd: those of e2e/, if no others are given.
KUBE_APISERVER ?= $(KUBERNETES)/kube-apiserver
KUBECTL ?= $(KUBERNETES)/kubectl
ETCD ?= $(E2E_FORKY)/usr/bin/etcd

# Always the same choice of features, as with $(TOOLS).
INSTALLER := --release --locked --package swiss-node-installer --features crash-points,cluster-tests

# apt with lists and archives of its own, so that the system's stay as they are.
$(CONTAINERDS): $(CACHE)/containerd-%/usr/bin/containerd:
	rm -rf $(CACHE)/containerd-$*.new
	mkdir -p $(CACHE)/containerd-$*.new/apt/{lists,archives}/partial
	cd $(CACHE)/containerd-$*.new/apt && \
	  uri=$$(apt-get indextargets --format '$$(REPO_URI) $$(RELEASE)' | awk '$$2 !~ /-/ { print $$1; exit }') && \
	  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $$uri $(CONTAINERD_$*) main" >sources.list && \
	  apt="apt-get -qq -oDebug::NoLocking=1 -oAPT::Sandbox::User= -oDir::State::lists=$$PWD/lists -oDir::Cache=$$PWD -oDir::Etc::sourcelist=$$PWD/sources.list -oDir::Etc::sourceparts=-" && \
	  $$apt update && $$apt download containerd runc && \
	  for package in *.deb; do dpkg -x $$package ..; done
	rm -r $(CACHE)/containerd-$*.new/apt
	@$(CACHE)/containerd-$*.new/usr/bin/containerd --version | grep -q ' v\?$(subst .,\.,$*)' || \
	  { echo "Debian's $(CONTAINERD_$*) has another containerd than $* by now: set the new version in runtime-class/runtime-class.mk" >&2; exit 1; }
	mv $(CACHE)/containerd-$*.new $(CACHE)/containerd-$*

$(RUNC): $(firstword $(CONTAINERDS))

.PHONY: test-installer test-installer-nodes test-installer-cluster

space := $() $()
test-installer: ## Test the node installer's edits and manifests
	cargo test $(INSTALLER) --lib --bins --test config --test manifests

test-installer-nodes test-installer-cluster: export CONTAINERDS := $(subst $(space),:,$(CONTAINERDS))
test-installer-nodes: export RUNC := $(RUNC)
test-installer-nodes: export BUSYBOX := $(BUSYBOX)
test-installer-nodes: $(CONTAINERDS) $(BUSYBOX) ## Test the node installer on nodes with real containerds (takes root)
	cargo test $(INSTALLER) --test node --test crash --test pods

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
