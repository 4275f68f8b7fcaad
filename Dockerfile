# Atoll as an image: one binary on a base that has the C library and no shell.
#
#   docker build -t atoll .
#
# Each stage copies what it needs by name, so that a change of the documentation
# builds nothing anew.

FROM node:20.19-bookworm-slim AS console
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM rust:1.95.0-bookworm AS binary
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml clippy.toml ./
COPY crates/ crates/
COPY testing/ testing/
COPY migrations/ migrations/
COPY openapi/ openapi/
COPY --from=console /src/web/dist/ web/dist/
# The second folder is empty: it lends its owner to the volume of the data.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin atoll \
    && mkdir -p /out/data \
    && cp target/release/atoll /out/atoll

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=binary /out/atoll /usr/local/bin/atoll
COPY --from=binary --chown=65532:65532 --chmod=0700 /out/data/ /var/lib/atoll/
COPY LICENSE /usr/share/doc/atoll/LICENSE
ENV ATOLL_LISTEN=0.0.0.0:8443 \
    ATOLL_DATA_DIR=/var/lib/atoll \
    ATOLL_LOG_FORMAT=json
USER 65532:65532
EXPOSE 8443
VOLUME ["/var/lib/atoll"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/atoll", "health"]
ENTRYPOINT ["/usr/local/bin/atoll"]
CMD ["serve"]
