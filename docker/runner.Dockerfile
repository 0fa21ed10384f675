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
COPY docker/runner.requirements.txt docker/
# Of these nothing is ever loaded: rich's highlighting of source code, what makes bindings to C, and what
# python-excludes lists. Debian's libpq, below, takes the place of psycopg's own, which brings a second OpenSSL.
RUN --mount=type=bind,source=docker/python-exclude,target=/python-exclude \
    --mount=type=bind,source=docker/python-excludes,target=/python-excludes \
    /opt/build/bin/pip --python /opt/evaluator/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --requirement docker/runner.requirements.txt \
    && /opt/build/bin/pip --python /opt/evaluator/bin/python uninstall --yes --disable-pip-version-check \
        psycopg-binary pycparser pygments \
    && sh /python-exclude /opt/evaluator \
    && echo /opt/evaluator/own >"$(echo /opt/evaluator/lib/python3.*/site-packages)/own.pth"

FROM dependencies AS install
COPY packages/evalcore packages/evalcore
COPY packages/evalcli packages/evalcli
RUN /opt/build/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /wheels \
        ./packages/evalcore ./packages/evalcli \
    && /opt/build/bin/pip --python /opt/evaluator/bin/python install --no-cache-dir --no-index --no-deps \
        --compile --target /opt/evaluator/own /wheels/*.whl \
    && /opt/evaluator/own/bin/evalcli --help >/dev/null

FROM base AS runner
ARG APT_LOCK=
# In a job container the checkout belongs to the runner's user, and git is run by whoever the job runs as.
RUN --mount=type=bind,source=docker/apt-install,target=/apt-install \
    --mount=type=bind,source=docker/apt.lock,target=/apt.lock \
    sh /apt-install "${APT_LOCK}" curl jq libpq5 \
    && git config --system safe.directory '*' \
    # A named volume takes its owner from the folder that it covers.
    && install --directory --owner=evaluator --group=evaluator --mode=0700 /var/lib/evaluator /var/lib/evaluator/runs
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="evaluator-runner" \
      org.opencontainers.image.description="A job image for GitHub Actions: evalcli, git, curl and jq" \
      org.opencontainers.image.licenses="GPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=dependencies /opt/evaluator /opt/evaluator
COPY --from=install /opt/evaluator/own /opt/evaluator/own
USER evaluator
WORKDIR /home/evaluator
ENTRYPOINT ["tini", "--"]
CMD ["evalcli", "--help"]
