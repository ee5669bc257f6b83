# The image of pldns. It reads /etc/pldns/pldns.yaml and keeps the saved inventory in /var/lib/pldns.
#
#   docker run -v /srv/pldns:/etc/pldns:ro -e PLDNS_DNS__LISTEN='["0.0.0.0:53"]' -p 53:53/udp -p 53:53 pldns
#
# It runs as user 65532 without any capability. To listen on port 53, set the sysctl net.ipv4.ip_unprivileged_port_start to
# 53 or less. Docker sets it to 0 in its containers. In Kubernetes it is a safe sysctl of the pod's security context.
# Otherwise listen on a high port, and map port 53 to it.

# Both stages start from this image: the newest Python that all dependencies support. A tag can change, a digest cannot. This
# line pins the image of today for a build:
#
#   docker build --build-arg BASE=python:3.13-slim@$(docker buildx imagetools inspect python:3.13-slim --format '{{.Manifest.Digest}}') .
#
# With podman, the digest comes from `skopeo inspect --format '{{.Digest}}' docker://docker.io/library/python:3.13-slim`.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements-build.lock requirements-run.lock ./
# The build backend stays in this stage.
RUN python -m venv /tools \
 && /tools/bin/pip install --require-hashes -r requirements-build.lock \
 && python -m venv --without-pip /opt/pldns \
 && /tools/bin/pip --python /opt/pldns/bin/python install --require-hashes -r requirements-run.lock
# A compiler for the modules of the packet path, and npm for the page. The final stage needs neither.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev nodejs npm
COPY page page
RUN npm ci --omit=dev --prefix page && npm run build --prefix page
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY zones zones
COPY resolver resolver
# A wheel without compiled modules has no platform in its name: `ls` ends the build then.
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . && ls /wheel/*-linux_*.whl \
 && /tools/bin/pip --python /opt/pldns/bin/python install --no-deps --no-index /wheel/*.whl

FROM ${BASE}
RUN install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/pldns
COPY --from=build /opt/pldns /opt/pldns
ENV PATH=/opt/pldns/bin:$PATH PYTHONUNBUFFERED=1 STATE_DIRECTORY=/var/lib/pldns
VOLUME /var/lib/pldns
USER 65532:65532
EXPOSE 53/udp 53/tcp 8054
# At the start, pldns reads the whole inventory before it is ready.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["pldns", "healthcheck"]
ENTRYPOINT ["pldns"]
CMD ["serve", "-c", "/etc/pldns/pldns.yaml"]
