# The webhook and the certificate keeper in one image.
#
# BASE may be replaced, by a mirror or by any Debian image with Python 3.11 or newer. Pin a digest
# with --build-arg BASE=python:3.13-slim-trixie@sha256:… once you looked it up in your registry.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
ENV PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY requirements.txt ./
# Locked with hashes: what was tested is what is installed. Source packages are refused, so that
# nothing of theirs runs here.
RUN python3 -m venv /opt/gpu-sharing \
 && /opt/gpu-sharing/bin/pip install --no-cache-dir --no-compile --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md ./
COPY webhook ./webhook
COPY certs ./certs
# Compiled by content and not by time: the root is read-only at run time, and two builds are equal.
RUN /opt/gpu-sharing/bin/pip install --no-cache-dir --no-compile --no-deps --no-build-isolation . \
 && /opt/gpu-sharing/bin/pip uninstall --yes --quiet hatchling setuptools pip \
 && find /opt/gpu-sharing -name __pycache__ -prune -exec rm -r {} + \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/gpu-sharing

FROM ${BASE}
COPY --from=build /opt/gpu-sharing /opt/gpu-sharing
# uvloop's buffers otherwise go back to the system after each review (docs/design.md).
ENV PATH=/opt/gpu-sharing/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_MMAP_THRESHOLD_=1048576 \
    MALLOC_TRIM_THRESHOLD_=8388608
USER 10001:10001
EXPOSE 8443 8080
ENTRYPOINT ["gpu-sharing"]
CMD ["serve"]
