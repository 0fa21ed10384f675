# The operator's machine for the tests of docs/operations.md: a user who is not root, sudo, the Docker client. Never published.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
FROM ${PYTHON_IMAGE}
# It takes the versions that Debian has now.
# hadolint ignore=DL3008
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates curl docker-buildx docker-cli docker-compose git openssl sudo \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1500 --create-home --shell /bin/bash ops \
    && echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops
CMD ["sleep", "infinity"]
