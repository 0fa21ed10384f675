ARG PYTHON_IMAGE=python:3.13-slim-trixie

# shared stage, the same in hook.Dockerfile and runner.Dockerfile: see docs/development.md
FROM ${PYTHON_IMAGE} AS no-perl
COPY docker/no-perl.control /no-perl/DEBIAN/control
RUN dpkg-deb --build --root-owner-group /no-perl /no-perl.deb

FROM ${PYTHON_IMAGE} AS base
# 1001 is the user of GitHub's own runners, so that a job container may write to the workspace mounted into it.
ARG EVALUATOR_UID=1001
# The versions of docker/apt.lock, for an image that is published; empty: those that Debian has now.
ARG APT_LOCK=
ENV PATH=/opt/evaluator/own/bin:/opt/evaluator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY docker/dpkg-excludes /etc/dpkg/dpkg.cfg.d/evaluator
# Git is installed without Perl (70 MB), which no git command that is run here needs. The base's own pip goes, and what
# would give whoever runs it another user's rights.
RUN --mount=type=bind,from=no-perl,source=/no-perl.deb,target=/no-perl.deb \
    --mount=type=bind,source=docker/apt-install,target=/apt-install \
    --mount=type=bind,source=docker/apt.lock,target=/apt.lock \
    sh /apt-install "${APT_LOCK}" /no-perl.deb ca-certificates git tini \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/pip \
        /usr/local/lib/python3.*/site-packages/pip-*.dist-info \
    && if dpkg-query --show python3-pip >/dev/null 2>&1; then apt-get purge --yes python3-pip >/dev/null; fi \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    # Debian has the program there a second time (4 MB).
    && ln -s ../../bin/git /usr/lib/git-core/git \
    && useradd --uid ${EVALUATOR_UID} --user-group --create-home --shell /bin/bash evaluator

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY docker/build.requirements.txt docker/
RUN --mount=type=bind,source=docker/apt-install,target=/apt-install \
    sh /apt-install "" binutils \
    && python3 -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --requirement docker/build.requirements.txt \
    && python3 -m venv --without-pip /opt/evaluator
# end of the shared stage

# What is not ours is installed first: a change of our own code builds from here on alone.
FROM build AS dependencies
COPY docker/hook.requirements.txt docker/
# Of these nothing is ever loaded: Litestar's test factories (faker alone is 25 MB) and its command line, rich for
# terminals, what makes bindings to C, and what python-excludes lists.
RUN --mount=type=bind,source=docker/python-exclude,target=/python-exclude \
    --mount=type=bind,source=docker/python-excludes,target=/python-excludes \
    /opt/build/bin/pip --python /opt/evaluator/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --requirement docker/hook.requirements.txt \
    && /opt/build/bin/pip --python /opt/evaluator/bin/python uninstall --yes --disable-pip-version-check \
        faker litestar-htmx polyfactory pycparser pygments rich rich-click \
    && sh /python-exclude /opt/evaluator \
    && echo /opt/evaluator/own >"$(echo /opt/evaluator/lib/python3.*/site-packages)/own.pth"

FROM dependencies AS install
COPY packages/evalcore packages/evalcore
COPY packages/evalhook packages/evalhook
RUN /opt/build/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /wheels \
        ./packages/evalcore ./packages/evalhook \
    && /opt/build/bin/pip --python /opt/evaluator/bin/python install --no-cache-dir --no-index --no-deps \
        --compile --target /opt/evaluator/own /wheels/*.whl \
    && /opt/evaluator/own/bin/evalhook --help >/dev/null

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
COPY --from=dependencies /opt/evaluator /opt/evaluator
COPY --from=install /opt/evaluator/own /opt/evaluator/own
ENV EVALHOOK_BIND=0.0.0.0:8080 \
    EVALHOOK_STATE_DIR=/var/lib/evaluator/state \
    EVALHOOK_PROMPT_LIBRARY=/var/lib/evaluator/clones/prompt-library
USER evaluator
WORKDIR /var/lib/evaluator
EXPOSE 8080
VOLUME ["/var/lib/evaluator/state", "/var/lib/evaluator/clones"]
# Asked by bash itself, which costs 3 ms where starting Python costs 50: so it may be asked every other second.
HEALTHCHECK --interval=2s --timeout=5s --start-period=60s --retries=5 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${EVALHOOK_BIND##*:} && printf 'GET /health HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status == 200 ]]"]
STOPSIGNAL SIGTERM
# An engine without an init of its own (`docker run` without --init) would leave ended children of git behind.
ENTRYPOINT ["tini", "--", "evalhook"]
CMD ["serve"]
