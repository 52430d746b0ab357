# syntax=docker/dockerfile:1
# Two programs and certificate authorities, run by nobody in particular. Pages and assets are compiled in; Postgres is
# elsewhere (DATABASE_URL).

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The caches keep the dependencies from being built again for each change of ours.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    SQLX_OFFLINE=true cargo build --release --locked --bins \
    && mkdir /out \
    && cp target/release/login-with-zoho target/release/zoho-emulator /out/

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 site \
    && useradd --system --uid 10001 --gid site --no-create-home --shell /usr/sbin/nologin site \
    # A volume mounted here begins with this owner.
    && install -d -o site -g site -m 700 /var/lib/zoho-emulator
COPY --from=build /out/ /usr/local/bin/
USER 10001:10001
WORKDIR /
# Everything else comes from the environment: .env.example has all settings.
ENV LISTEN=0.0.0.0:8080 MANAGEMENT_LISTEN=0.0.0.0:9090
EXPOSE 8080 9090
# Stopping is a matter of draining: half a minute at most.
STOPSIGNAL SIGTERM
ENTRYPOINT ["login-with-zoho"]
CMD ["serve"]
