# The tests of what is pushed, and their tools, whose versions stand here only. A
# part of the main Makefile.
BUILDAH_VERSION := 1.28.2
DOCKER_REGISTRY_VERSION := 2.8.2

BUILDAH := $(if $(BOOKWORM),$(CACHE)/buildah-$(BUILDAH_VERSION))
DOCKER_REGISTRY := $(if $(BOOKWORM),$(CACHE)/docker-registry-$(DOCKER_REGISTRY_VERSION))

# The versions are those of the sources: Debian keeps only its newest build of
# them. The libraries are those that a bare system does not have.
$(CACHE)/buildah-$(BUILDAH_VERSION):
	$(call unpack_debian,'buildah=$(BUILDAH_VERSION)+*' libassuan0 libdevmapper1.02.1 libgpg-error0 libgpgme11 libseccomp2)

$(CACHE)/docker-registry-$(DOCKER_REGISTRY_VERSION):
	$(call unpack_debian,'docker-registry=$(DOCKER_REGISTRY_VERSION)+*')

.PHONY: packaging-tools test-packaging

packaging-tools: $(BUILDAH) $(DOCKER_REGISTRY) $(PYTHON)/installed
	cargo build $(PUSH)

test-packaging: build tools packaging-tools ## Push every packaging to a real registry, pull it, and serve it
	BUILDAH=$(BUILDAH) REGISTRY=$(DOCKER_REGISTRY) $(PYTHON)/bin/python -m pytest tests/packaging $(PYTEST_ARGS)
