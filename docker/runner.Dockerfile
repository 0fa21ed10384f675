ARG PYTHON_IMAGE=python:3.13-slim-trixie

# shared stage, the same in hook.Dockerfile and runner.Dockerfile: see docs/development.md
FROM ${PYTHON_IMAGE} AS base
# 1001 is the user of GitHub's own runners, so that a job container may write to the workspace mounted into it.
ARG EVALUATOR_UID=1001
ENV PATH=/opt/evaluator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
    && useradd --uid ${EVALUATOR_UID} --user-group --create-home --shell /bin/bash evaluator

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY docker/build.requirements.txt docker/
RUN python3 -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --requirement docker/build.requirements.txt \
    && python3 -m venv --without-pip /opt/evaluator
COPY packages/evalcore packages/evalcore
RUN /opt/build/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /wheels \
        ./packages/evalcore
# end of the shared stage

FROM build AS install
COPY docker/runner.requirements.txt docker/
RUN /opt/build/bin/pip --python /opt/evaluator/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --requirement docker/runner.requirements.txt
COPY packages/evalcli packages/evalcli
RUN /opt/build/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /wheels \
        ./packages/evalcli \
    && /opt/build/bin/pip --python /opt/evaluator/bin/python install --no-cache-dir --no-index --no-deps \
        --compile /wheels/*.whl \
    && /opt/evaluator/bin/evalcli --help >/dev/null

FROM base AS runner
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends curl jq \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="evaluator-runner" \
      org.opencontainers.image.description="A job image for GitHub Actions: evalcli, git, curl and jq" \
      org.opencontainers.image.licenses="GPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=install /opt/evaluator /opt/evaluator
USER evaluator
WORKDIR /home/evaluator
CMD ["evalcli", "--help"]
