# pldns as one small image. Configuration at /etc/pldns/pldns.yaml, saved inventory at /var/lib/pldns.
#
#   docker run -v /srv/pldns:/etc/pldns:ro -e PLDNS_DNS__LISTEN='["0.0.0.0:53"]' -p 53:53/udp -p 53:53 pldns
#
# It runs as user 65532, without any capability. For port 53 that user needs the sysctl net.ipv4.ip_unprivileged_port_start
# at 53 or below: Docker sets it to 0 in its containers; in Kubernetes it is a safe sysctl of the pod's security context.
# Or listen on a high port and map 53 to it.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-run.lock ./
# The build backend is pinned with the tools of development; they stay in this stage.
RUN python -m venv /tools \
 && /tools/bin/pip install --require-hashes -r requirements.lock \
 && python -m venv --without-pip /opt/pldns \
 && /tools/bin/pip --python /opt/pldns/bin/python install --require-hashes -r requirements-run.lock
# For the modules that nearly every packet passes through; the last stage needs no compiler.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY zones zones
COPY resolver resolver
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /tools/bin/pip --python /opt/pldns/bin/python install --no-deps --no-index /wheel/*.whl

FROM python:3.11-slim
RUN install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/pldns
COPY --from=build /opt/pldns /opt/pldns
ENV PATH=/opt/pldns/bin:$PATH PYTHONUNBUFFERED=1 STATE_DIRECTORY=/var/lib/pldns
VOLUME /var/lib/pldns
USER 65532:65532
EXPOSE 53/udp 53/tcp 8053
# Start-up reads the whole inventory; until then the answer is "not ready".
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["pldns", "healthcheck"]
ENTRYPOINT ["pldns"]
CMD ["serve", "-c", "/etc/pldns/pldns.yaml"]
