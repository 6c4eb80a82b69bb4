# A real Kubernetes of two nodes on this machine. A part of the main Makefile.
KUBERNETES_MODULE := e2e/cluster/kubernetes
KUBERNETES_VERSION := $(call go_version,k8s.io/kubernetes,$(KUBERNETES_MODULE))
KUBERNETES := $(call locked,kubernetes-$(KUBERNETES_VERSION),$(KUBERNETES_MODULE)/go.mod)
KUBE_ROUTER_MODULE := e2e/cluster/kube-router
KUBE_ROUTER := $(call locked,kube-router,$(KUBE_ROUTER_MODULE)/go.mod)

# Binaries of Debian's forky that bookworm does not have and that run on it, and those of
# bookworm. They have no versions, because Debian keeps only the newest build of a suite.
E2E_FORKY_PACKAGES := containerd containernetworking-plugins etcd-server kubectl
E2E_BOOKWORM_PACKAGES := busybox-static catatonit docker-registry runc \
  nftables libnftables1 libnftnl11 libmnl0 libjansson4 libxtables12 libedit2 libbsd0 libmd0 libgmp10 libtinfo6 \
  iproute2 libbpf1 libelf1 libcap2 libtirpc3 \
  iptables libip4tc2 libip6tc2 libnetfilter-conntrack3 libnfnetlink0 ipset libipset13
# The folder named $(1) for the list $(2). A change of the list leads to another folder.
listed = $(CACHE)/$(1)-$(firstword $(shell echo '$(2)' | cksum))
E2E_FORKY := $(call listed,e2e-forky,$(E2E_FORKY_PACKAGES))
E2E_BOOKWORM := $(call listed,e2e-bookworm,$(E2E_BOOKWORM_PACKAGES))

# The shim behind the handler `spin`: the stand-in, or the one whose path SHIM gives.
E2E_SHIM := $(call absolute,$(or $(SHIM),target/release/containerd-shim-spin-v2))

# The version that Kubernetes reports. Helm and the rules on version skew depend on it.
kubernetes_parts = $(subst ., ,$(KUBERNETES_VERSION))
kubernetes_version = $(foreach package,k8s.io/component-base/version k8s.io/client-go/pkg/version,\
  -X $(package).gitMajor=$(word 1,$(kubernetes_parts)) -X $(package).gitMinor=$(word 2,$(kubernetes_parts)) \
  -X $(package).gitVersion=v$(KUBERNETES_VERSION) \
  -X $(package).gitTreeState=clean -X $(package).gitCommit=module -X $(package).buildDate=1970-01-01T00:00:00Z)

e2e_environment = KUBERNETES=$(KUBERNETES) KUBE_ROUTER=$(KUBE_ROUTER) FORKY=$(E2E_FORKY) BOOKWORM=$(E2E_BOOKWORM) SYSTEMD=$(SYSTEMD) \
  SHIM=$(call quoted,$(E2E_SHIM)) STATE=$(CACHE)/cluster HELM3=$(HELM3) HELM4=$(HELM4) GATEWAY_API=$(GATEWAY_API)
cluster = cd e2e && export $(e2e_environment) && $(PYTHON)/bin/python -m cluster

.PHONY: cluster-parts cluster-up cluster-shell cluster-down test-cluster

test-cluster: cluster-parts ## Test that the cluster comes up in time and leaves nothing behind
	cd e2e && $(e2e_environment) $(PYTHON)/bin/python -m pytest cluster/tests

cluster-up: cluster-parts ## Start a real Kubernetes of two nodes (needs root)
	$(cluster) up

cluster-shell: ## Open a shell in it, with kubectl and ctr
	$(cluster) run bash

cluster-down: ## Stop it, and remove all that it created
	$(cluster) down

# The fourth folder is SYSTEMD, which make reads later, from runtime-class.mk.
cluster-parts: $(KUBERNETES) $(KUBE_ROUTER) $(E2E_FORKY) $(E2E_BOOKWORM) $(CACHE)/systemd-$(SYSTEMD_VERSION) $(PYTHON)/installed

# `go build` prints nothing for these minutes.
$(KUBERNETES):
	@echo "Compiling Kubernetes $(KUBERNETES_VERSION): about ten minutes, the first time."
	rm -rf $@ $@.new
	mkdir -p $@.new
	cd $(KUBERNETES_MODULE) && $(go_build) -ldflags "$(strip -s -w $(kubernetes_version))" -o $@.new/ tool
	mv $@.new $@

# After Kubernetes, which has compiled most of it.
$(KUBE_ROUTER): | $(KUBERNETES)
	@echo "Compiling kube-router: about a minute, the first time."
	rm -rf $@.new && mkdir -p $@.new
	cd $(KUBE_ROUTER_MODULE) && $(go_build) -ldflags "-s -w" -o $@.new/ tool
	mv $@.new $@

$(E2E_FORKY):
	$(call unpack_debian,$(E2E_FORKY_PACKAGES),forky)

$(E2E_BOOKWORM):
	$(call unpack_debian,$(E2E_BOOKWORM_PACKAGES),bookworm)
