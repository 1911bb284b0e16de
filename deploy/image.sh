#!/bin/sh
# The image by docker, podman or buildah, whichever is there: build, push, load IMAGE, or sbom.
set -eu
verb=$1 image=$2

first_of() {
  for each in "$@"; do
    if command -v "$each" >/dev/null 2>&1; then echo "$each"; return; fi
  done
}
builder=${BUILDER:-$(first_of docker podman buildah)}
[ -n "$builder" ] || { echo 'error: no docker, podman or buildah here; install one, or name it: BUILDER=…' >&2; exit 2; }

digest_of() {  # the digest that the registry gave; docker keeps it, the others write it to a file
  if [ "$builder" = docker ]; then
    docker push --quiet "$image" >&2
    docker inspect --format '{{index .RepoDigests 0}}' "$image" | sed 's/.*@//'
  else
    written=$(mktemp); "$builder" push --digestfile "$written" "$image" >&2
    cat "$written"; rm "$written"
  fi
}

case $verb in
build)
  "$builder" build --tag "$image" "$(dirname "$0")/.."
  echo "built $image; next: make push IMAGE=REGISTRY/gpu-sharing:TAG, or for kind, minikube or k3s: make load" ;;
sbom)
  "$builder" build --quiet --target sbom --output . "$(dirname "$0")/.."
  echo 'wrote sbom.json' ;;
push)
  case $image in */*) ;; *) echo "error: $image names no registry: make push IMAGE=REGISTRY/gpu-sharing:TAG" >&2; exit 2 ;; esac
  digest=$(digest_of)
  echo "pushed; next: make install IMAGE=${image%:*}@$digest" ;;
load)
  cluster=$(first_of kind minikube k3s)
  case $cluster in
  kind) kind load docker-image "$image" ;;
  minikube) minikube image load "$image" ;;
  k3s) "$builder" save "$image" | k3s ctr images import - ;;
  *) echo 'error: no kind, minikube or k3s here; push the image to a registry instead: make push' >&2; exit 2 ;;
  esac
  echo "loaded; next: make install IMAGE=$image" ;;
esac
