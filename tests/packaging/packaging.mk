# The tests of what is pushed, and their tools, whose versions stand here only.
# A part of the main Makefile.
BUILDAH_VERSION := 1.28.2
BUILDAH :=

# Debian's build is linked to Debian's libraries, so there is no other place for it.
ifeq ($(shell sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null),bookworm)
BUILDAH := $(CACHE)/buildah-$(BUILDAH_VERSION)
endif

# With lists of its own, apt needs neither root nor a system that is up to date.
private_apt = apt-get -qq -oDebug::NoLocking=1 -oAPT::Sandbox::User= -oDir::State::lists=$(1)/lists -oDir::Cache=$(1)/cache

# The version is that of the sources: Debian keeps only its newest build of
# them. The libraries are those that a bare system does not have.
$(CACHE)/buildah-$(BUILDAH_VERSION):
	rm -rf $@.new && mkdir -p $@.new/debs $@.apt/lists/partial $@.apt/cache/archives/partial
	$(call private_apt,$@.apt) update
	cd $@.new/debs && $(call private_apt,$@.apt) download 'buildah=$(BUILDAH_VERSION)+*' \
	  libassuan0 libdevmapper1.02.1 libgpg-error0 libgpgme11 libseccomp2
	for package in $@.new/debs/*.deb; do dpkg -x $$package $@.new; done
	rm -r $@.new/debs $@.apt
	mv $@.new $@

.PHONY: packaging-tools test-packaging

packaging-tools: $(BUILDAH) $(PACKAGING_VENV)/installed

test-packaging: build tools packaging-tools ## Test what is pushed: the image of the Dockerfile
	BUILDAH=$(BUILDAH) $(PACKAGING_VENV)/bin/python -m pytest tests/packaging $(PYTEST_ARGS)
