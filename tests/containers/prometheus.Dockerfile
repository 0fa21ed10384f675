# Debian's Prometheus, started as the image of docker/compose.monitoring.yaml is, and promtool with it. Never published.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
FROM ${PYTHON_IMAGE}
# Never published, it takes the version that Debian has now.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends prometheus \
    && rm -rf /var/lib/apt/lists/* && install --directory --owner=nobody --group=nogroup /prometheus
USER nobody
WORKDIR /prometheus
ENTRYPOINT ["prometheus"]
