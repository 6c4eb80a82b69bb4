# The tests on a real Kubernetes. A part of the main Makefile.

include e2e/shim/shim.mk
include e2e/cluster/cluster.mk

# Only E2E_KUBECONFIG leads a verb to a cluster of the user's.
unexport KUBECONFIG KUBERC $(filter HELM_% KUBECTL_% KUBERNETES_SERVICE_% KUBERNETES_MASTER,$(.VARIABLES))

# Whether the cluster is another, to which the user says yes by E2E_CLUSTER.
other_cluster := $(strip $(E2E_KUBECONFIG))
allowed = @cd e2e && python3 -m suite.target

.PHONY: e2e e2e-suite e2e-parts test-suite

# Where the cluster or the shim is another, its parts are not ours to test.
e2e: ready ## Install and test everything on a real Kubernetes: ours (needs root), or that of E2E_KUBECONFIG and E2E_CLUSTER
	$(allowed)
	$(call in_turn,$(if $(other_cluster),,$(if $(SHIM),,test-shim) test-installer-nodes test-installer-cluster test-cluster test-suite) e2e-suite)
	@echo "All tests on Kubernetes passed."

# Its parts are no prerequisites, because nothing is compiled before the user's yes is read.
e2e-suite: ready ## Run only the tests on the cluster; PYTEST_ARGS selects some
	$(allowed)
	@$(MAKE) e2e-parts
ifneq ($(other_cluster),)
	cd e2e && $(e2e_environment) $(PYTHON)/bin/python -m pytest suite -rs --durations=10 $(PYTEST_ARGS)
else
	$(cluster) up
	$(cluster) run $(PYTHON)/bin/python -m pytest suite -rs --durations=10 $(PYTEST_ARGS) || status=$$?; \
	  $(PYTHON)/bin/python -m cluster down; exit $${status:-0}
endif

e2e-parts: build $(HELM3) $(HELM4) $(GATEWAY_API) $(PYTHON)/installed $(if $(other_cluster),,cluster-parts static-installer $(if $(SHIM),,shim))
	@$(call cargo_build,swiss-push)

test-suite: $(KUBERNETES) $(E2E_FORKY) $(HELM3) $(HELM4) $(GATEWAY_API) $(PYTHON)/installed ## Test that the tests on a cluster harm nothing there
	cd e2e && $(e2e_environment) $(PYTHON)/bin/python -m pytest tests
