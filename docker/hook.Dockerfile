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
COPY docker/hook.requirements.txt docker/
RUN /opt/build/bin/pip --python /opt/evaluator/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --requirement docker/hook.requirements.txt
COPY packages/evalhook packages/evalhook
RUN /opt/build/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /wheels \
        ./packages/evalhook \
    && /opt/build/bin/pip --python /opt/evaluator/bin/python install --no-cache-dir --no-index --no-deps \
        --compile /wheels/*.whl \
    && /opt/evaluator/bin/evalhook --help >/dev/null

FROM base AS hook
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="evalhook" \
      org.opencontainers.image.description="Evaluates a prompt component on the local models and opens a pull request" \
      org.opencontainers.image.licenses="GPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A named volume takes its owner from the folder that it covers.
RUN install --directory --owner=evaluator --group=evaluator --mode=0700 \
        /var/lib/evaluator /var/lib/evaluator/state /var/lib/evaluator/clones
COPY --from=install /opt/evaluator /opt/evaluator
ENV EVALHOOK_BIND=0.0.0.0:8080 \
    EVALHOOK_STATE_DIR=/var/lib/evaluator/state \
    EVALHOOK_PROMPT_LIBRARY=/var/lib/evaluator/clones/prompt-library
USER evaluator
WORKDIR /var/lib/evaluator
EXPOSE 8080
VOLUME ["/var/lib/evaluator/state", "/var/lib/evaluator/clones"]
# http.client and not urllib: a proxy set for the calls to the outside has no part in this one.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-I", "-c", "import http.client, os, sys; port = int(os.environ['EVALHOOK_BIND'].rpartition(':')[2]); c = http.client.HTTPConnection('127.0.0.1', port, timeout=4); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["evalhook"]
CMD ["serve"]
