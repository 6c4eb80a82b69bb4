# The tests on a real Kubernetes. A part of the main Makefile.

include e2e/shim/shim.mk
include e2e/cluster/cluster.mk

.PHONY: e2e e2e-suite

# Where the cluster or the shim is another, its parts are not ours to test.
e2e: ready ## Install and test everything on a real Kubernetes: ours (needs root), or that of KUBECONFIG
	$(call in_turn,$(if $(KUBECONFIG),,$(if $(SHIM),,test-shim) test-installer-nodes test-installer-cluster test-cluster) e2e-suite)
	@echo "All tests on Kubernetes passed."

e2e-suite: build $(HELM3) $(HELM4) $(GATEWAY_API) $(PYTHON)/installed $(if $(KUBECONFIG),,cluster-parts static-installer $(if $(SHIM),,shim)) ## Run only the tests on the cluster; PYTEST_ARGS selects some
	@$(call cargo_build,swiss-push)
ifdef KUBECONFIG
	cd e2e && $(e2e_environment) OTHER_CLUSTER=1 $(PYTHON)/bin/python -m pytest suite -rs --durations=10 $(PYTEST_ARGS)
else
	$(cluster) up
	$(cluster) run $(PYTHON)/bin/python -m pytest suite -rs --durations=10 $(PYTEST_ARGS) || status=$$?; \
	  $(PYTHON)/bin/python -m cluster down; exit $${status:-0}
endif
