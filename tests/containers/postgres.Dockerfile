# Debian's PostgreSQL, with the user and the folders of the image of docker/compose.campaign.yaml. Never published.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
FROM ${PYTHON_IMAGE}
# Never published, it takes the version that Debian has now.
# hadolint ignore=DL3008
RUN groupadd --system --gid 999 postgres && useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
    && apt-get update && apt-get install --yes --no-install-recommends postgresql-17 && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=postgres --group=postgres --mode=1777 /var/lib/postgresql/data
ENV PATH=/usr/lib/postgresql/17/bin:$PATH PGDATA=/var/lib/postgresql/data
USER postgres
# Without waiting for the clients' sessions to end.
STOPSIGNAL SIGINT
CMD ["postgres"]
