# The tests of what is pushed, and their tools. A part of the main Makefile.
DOCKER_REGISTRY := $(CACHE)/docker-registry/usr/bin/docker-registry

$(DOCKER_REGISTRY):
	$(call unpack_debian,$(CACHE)/docker-registry,docker-registry)

.PHONY: test-packaging
test-packaging: build tools $(DOCKER_REGISTRY) $(PACKAGING_VENV)/installed ## Push to a real registry, pull, and serve what was pulled
	cargo build $(PUSH)
	cd tests/packaging && REGISTRY=$(DOCKER_REGISTRY) $(PACKAGING_VENV)/bin/python -m pytest
