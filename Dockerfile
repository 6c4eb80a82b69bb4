# The component as a container image that holds it and its manifest, nothing
# else. Straight from a clone:
#
#   docker build --provenance=false -t gcr.io/PROJECT/swiss:v1 .
#   docker push gcr.io/PROJECT/swiss:v1
#
# --provenance=false: an attestation would make the image an index, of which a
# node takes the entry for its own CPU. Built on an arm64 laptop, it would be
# "no match for platform in manifest" to an amd64 node. A single manifest is
# taken whatever CPU it names, and no machine code is in it.
#
# No --platform=wasi/wasm: containerd from 2.3 on unpacks only images of the
# node's own operating system, of any CPU (`OnlyOS` in its plugins/transfer).
#
# With --build-context build=target the component that `make build` has made is
# packed as it is, and the Rust image is not pulled.

# Of the builder's own platform, since the component is the same on all.
FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-bookworm AS build
WORKDIR /swiss
COPY . .
RUN cargo run --release --locked --package swiss-build -- --output /swiss.wasm

FROM scratch
LABEL org.opencontainers.image.title="swiss" \
      org.opencontainers.image.description="Two JSON routes" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# The shim reads the manifest there and nowhere else.
COPY --chmod=444 spin.toml /
# 555, not 444: BuildKit gives the mode to the folder, too, which the user below
# has to enter. The owner, because buildah keeps that of a folder in the stage's place.
COPY --chown=0:0 --chmod=555 --from=build /swiss.wasm /target/
# By number, as `runAsNonRoot` wants it. The shim needs no root.
USER 65532:65532
