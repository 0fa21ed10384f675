# The simulated MindRouter and GitHub for the container tests, on top of the service's image. Never published.
ARG HOOK_IMAGE=evaluator-hook:latest
ARG PYTHON_IMAGE=python:3.13-slim-trixie
FROM ${PYTHON_IMAGE} AS install
WORKDIR /build
COPY docker/simulator.requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --require-hashes --target /packages \
        --requirement simulator.requirements.txt

FROM ${HOOK_IMAGE}
COPY --from=install /packages /simulator/
COPY packages/evalcli/src packages/evalsim/src /simulator/
ENV PYTHONPATH=/simulator
USER root
# What serves git is left out of the service's image. Never published, it takes the version that Debian has now.
# hadolint ignore=DL3008
RUN rm /etc/dpkg/dpkg.cfg.d/evaluator && apt-get update && apt-get install --yes --reinstall --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*
USER evaluator
# Asked by bash itself, which costs next to nothing, so that a deployment waits no longer than it must.
HEALTHCHECK --interval=1s --timeout=2s --retries=60 CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000"]
ENTRYPOINT ["tini", "--", "python3", "-m", "evalsim.main"]
