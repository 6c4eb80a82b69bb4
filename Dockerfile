# A container image of the component and its manifest, and nothing else. From a
# clone:
#
#   docker build --provenance=false -t gcr.io/PROJECT/swiss:v1 .
#   docker push gcr.io/PROJECT/swiss:v1
#
# It needs BuildKit: Docker 23 or newer, or 20.10 with DOCKER_BUILDKIT=1 and without
# --provenance; or buildah 1.28, without --provenance, with which the tests build it.
#
# --provenance=false: an attestation would make the image an index, in which a
# node selects the entry for its own CPU. An amd64 node then fails to pull an
# image that was built on an arm64 laptop: "no match for platform in manifest".
# A node accepts a single manifest for any CPU. The image has no machine code.
#
# No --platform=wasi/wasm: containerd 2.3 and newer unpacks only images for the
# node's own operating system, for any CPU (`OnlyOS` in its plugins/transfer).
#
# With --build-context build=target, the image contains the component that
# `make build` has built, and Docker does not pull the Rust image.

# The builder's own platform, because the component is the same on all.
FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-bookworm AS build
WORKDIR /swiss
COPY . .
RUN cargo run --release --locked --package swiss-build -- --output /swiss.wasm

FROM scratch
LABEL org.opencontainers.image.title="swiss" \
      org.opencontainers.image.description="Two JSON routes" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# The shim reads the manifest only from this path.
COPY --chmod=444 spin.toml /
# 555, not 444: BuildKit also gives the mode to the folder, which the user below
# must enter. --chown, because buildah keeps the owner of files in a build context.
COPY --chown=0:0 --chmod=555 --from=build /swiss.wasm /target/
# A number, as `runAsNonRoot` requires. The shim does not need root.
USER 65532:65532
