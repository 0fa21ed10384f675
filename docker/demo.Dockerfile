# What docker/compose.demo.yaml simulates the outside with: MindRouter, GitHub, and the workflow that asks. Never published.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
FROM ${PYTHON_IMAGE}
RUN --mount=type=bind,source=docker/apt-install,target=/apt-install sh /apt-install "" ca-certificates git
COPY docker/hook.requirements.txt docker/runner.requirements.txt docker/simulator.requirements.txt /locks/
# One after the other: each is a whole lock, and what several name has one version in all of them.
RUN python3 -m venv /opt/demo \
    && for lock in hook runner simulator; do \
        /opt/demo/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
            --requirement /locks/$lock.requirements.txt || exit 1; done
ENV PATH=/opt/demo/bin:$PATH PYTHONUNBUFFERED=1 PYTHONPATH=/demo
COPY packages/evalcore/src packages/evalhook/src packages/evalcli/src packages/evalsim/src /demo/
COPY --chmod=755 docker/demo-job /usr/local/bin/demo-job
RUN for name in evalcli evalsim; do \
        printf '#!/bin/sh\nexec python3 -c "from %s.main import main; main()" "$@"\n' $name >/usr/local/bin/$name \
        && chmod 755 /usr/local/bin/$name || exit 1; done \
    && useradd --uid 1001 --create-home demo \
    # A library with a year of results, made up; what is evaluated now comes on top.
    && evalsim history /sample/prompt-library \
    && python3 -c "from pathlib import Path; from evalsim.library import write_sample_data_sets as w; w(Path('/sample/data-sets'))" \
    && install --directory --owner=demo /github /site \
    && chmod -R a+rX /sample
USER demo
WORKDIR /home/demo
