# A real Kubernetes of two nodes on this machine. A part of the main Makefile.
KUBERNETES_VERSION := 1.36.3
KUBERNETES := $(CACHE)/kubernetes-$(KUBERNETES_VERSION)

# Debian's binaries that run on bookworm, too, and are not in it, and bookworm's
# own. Debian keeps only the newest of a suite, so no version stands here.
E2E_FORKY_PACKAGES := containerd containernetworking-plugins etcd-server
E2E_BOOKWORM_PACKAGES := busybox-static catatonit docker-registry runc \
  nftables libnftables1 libnftnl11 libmnl0 libjansson4 libxtables12 libedit2 libbsd0 libmd0 libgmp10 libtinfo6 \
  iproute2 libbpf1 libelf1 libcap2 libtirpc3
# In folders named by the list: a changed list is another folder.
listed = $(CACHE)/$(1)-$(firstword $(shell echo '$(2)' | sha256sum))
E2E_FORKY := $(call listed,e2e-forky,$(E2E_FORKY_PACKAGES))
E2E_BOOKWORM := $(call listed,e2e-bookworm,$(E2E_BOOKWORM_PACKAGES))

# Which shim answers to the handler `spin`: the stand-in, or a path to another.
E2E_SHIM := $(abspath $(or $(SHIM),$(CARGO_TARGET_DIR)/release/containerd-shim-spin-v2))

# Helm and version skew look at it.
kubernetes_version = $(foreach package,k8s.io/component-base/version k8s.io/client-go/pkg/version,\
  -X $(package).gitMajor=1 -X $(package).gitMinor=36 -X $(package).gitVersion=v$(KUBERNETES_VERSION) \
  -X $(package).gitTreeState=clean -X $(package).gitCommit=module -X $(package).buildDate=1970-01-01T00:00:00Z)

e2e_environment = KUBERNETES=$(KUBERNETES) FORKY=$(E2E_FORKY) BOOKWORM=$(E2E_BOOKWORM) \
  SHIM=$(E2E_SHIM) STATE=$(CACHE)/cluster HELM3=$(HELM3) HELM4=$(HELM4) GATEWAY_API=$(GATEWAY_API)
cluster = cd e2e && export $(e2e_environment) && $(PYTHON)/bin/python -m cluster

.PHONY: cluster-parts cluster-up cluster-shell cluster-down test-cluster

test-cluster: cluster-parts ## Test that the cluster comes up in time and leaves nothing behind
	cd e2e && $(e2e_environment) $(PYTHON)/bin/python -m pytest cluster/tests

cluster-up: cluster-parts ## Start a real Kubernetes of two nodes (takes root)
	$(cluster) up

cluster-shell: ## Look around in it, with kubectl and ctr
	$(cluster) run bash

cluster-down: ## Take it away again, and all that is left of it
	$(cluster) down

cluster-parts: $(KUBERNETES) $(E2E_FORKY) $(E2E_BOOKWORM) $(PYTHON)/installed

# Kubernetes compiles for ten minutes on two cores, and says nothing meanwhile.
$(KUBERNETES):
	@echo "Compiling Kubernetes $(KUBERNETES_VERSION): about ten minutes, the first time."
	rm -rf $@ $@.new
	mkdir -p $@.new
	cd e2e/cluster/kubernetes && CGO_ENABLED=0 go build -trimpath -pgo=off \
	  -ldflags "$(strip -s -w $(kubernetes_version))" -o $@.new/ tool
	mv $@.new $@

$(E2E_FORKY):
	$(call unpack_debian,$(E2E_FORKY_PACKAGES),forky)

$(E2E_BOOKWORM):
	$(call unpack_debian,$(E2E_BOOKWORM_PACKAGES),bookworm)
