# The versions that no lock file holds: what the tests unpack from Debian, or
# compile in several versions. renovate.json tells Renovate how to read this file.
# A part of the main Makefile.
#
# A version of a Debian package is that of its source, because Debian keeps only
# the newest build of it.

# renovate: datasource=repology depName=debian_12/golang-github-containers-buildah
BUILDAH_VERSION := 1.28.2
# renovate: datasource=repology depName=debian_12/docker-registry
DOCKER_REGISTRY_VERSION := 2.8.2
# renovate: datasource=repology depName=debian_12/strace
STRACE_VERSION := 6.1
# renovate: datasource=repology depName=debian_12/systemd
SYSTEMD_VERSION := 252
# renovate: datasource=repology depName=debian_12/valgrind
VALGRIND_VERSION := 3.19.0
# renovate: datasource=repology depName=debian_12/wrk
WRK_VERSION := 4.1.0

# The containerds that judge what the node installer writes. These are Debian's:
# the oldest of all, and one for each release since.
CONTAINERD_1.6.20 := bookworm
CONTAINERD_1.7.24 := trixie
CONTAINERD_2.1.9 := forky
DEBIAN_CONTAINERD_VERSIONS := 1.6.20 1.7.24 2.1.9
# Those that Debian does not have, for `make test-installer-versions`.
GO_CONTAINERD_VERSIONS := 2.0.14 2.2.9 2.3.7 2.4.2
