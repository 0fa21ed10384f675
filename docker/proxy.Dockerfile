# The proxy of compose.closed.yaml: Debian's tinyproxy, which leads to the hosts that it is told, and to no other.
# The base is the service's, so that there is no second one to keep up.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
FROM ${PYTHON_IMAGE}
# The versions of docker/apt.lock, for an image that is published; empty: those that Debian has now.
ARG APT_LOCK=
RUN --mount=type=bind,source=docker/apt-install,target=/apt-install \
    --mount=type=bind,source=docker/apt.lock,target=/apt.lock \
    sh /apt-install "${APT_LOCK}" tinyproxy-bin
COPY --chmod=0755 docker/proxy-start /usr/local/bin/proxy-start
USER 65534:65534
EXPOSE 3128
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s --retries=5 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/3128"]
ENTRYPOINT ["proxy-start"]
