# The webhook and the certificate controller in one image.
#
# BASE may be replaced, by a mirror or by any Debian image with Python 3.11 or newer. The digest says
# what is built on, whoever serves it; docs/image.md says how it is renewed.
ARG BASE=docker.io/library/python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285

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

FROM ${BASE} AS image
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

# What is in the image, of the base too: --target sbom --output FOLDER.
FROM image AS bill
# hadolint ignore=DL3002 # nothing runs as root: only this file is read out of the stage
USER 0
COPY deploy/sbom.py /tmp/sbom.py
RUN python3 /tmp/sbom.py / > /tmp/sbom.json

FROM scratch AS sbom
COPY --from=bill /tmp/sbom.json /sbom.json

FROM image
