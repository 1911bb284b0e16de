#!/bin/sh
# The image by docker, podman or buildah, whichever works: build, push, load IMAGE, sbom; and install.
set -eu
verb=$1 image=$2 built=${3:-$2}  # built: the name that the newest build has, besides that of IMAGE

fail() { echo "error: $*" >&2; exit 2; }

first_of() {
  for each in "$@"; do
    if command -v "$each" >/dev/null 2>&1; then echo "$each"; return; fi
  done
}

working_builder() {  # docker without its daemon is passed over where another is there
  for each in docker podman buildah; do
    if command -v "$each" >/dev/null 2>&1 && "$each" info >/dev/null 2>&1; then echo "$each"; return; fi
  done
}

need_builder() {
  builder=${BUILDER:-$(working_builder)}
  there=$(first_of docker podman buildah)
  [ -n "$builder$there" ] || fail 'no docker, podman or buildah here; install one, or name it: BUILDER=…'
  [ -n "$builder" ] || fail "$there does not work here ('$there info' says why); start its daemon or ask for the right to use it"
}

digest_of() {  # the digest that the registry gave; docker keeps it, the others write it to a file
  if [ "$builder" = docker ]; then
    docker push --quiet "$image" >&2 &&
      docker inspect --format '{{index .RepoDigests 0}}' "$image" | sed 's/.*@//'
  else
    written=$(mktemp)
    "$builder" push --digestfile "$written" "$image" >&2 && cat "$written" && rm "$written"
  fi
}

need_cluster() {
  command -v kubectl >/dev/null 2>&1 || fail 'no kubectl here; install it: kubernetes.io/docs/tasks/tools'
  said=$(kubectl get --raw /version --request-timeout=10s 2>&1) ||
    fail "no cluster answers: $(echo "$said" | sed '$!d'); name one: kubectl config use-context NAME, or KUBECONFIG=FILE make install"
  kubectl auth can-i create mutatingwebhookconfigurations >/dev/null 2>&1 ||
    fail 'you may not create MutatingWebhookConfigurations in this cluster; ask an administrator to install it'
}

case $image in *[!A-Za-z0-9./:@_-]* | '') fail "IMAGE='$image' is no image; write REGISTRY/gpu-sharing:TAG or …@sha256:DIGEST" ;; esac
case $verb:$image in
build:*@* | push:*@* | load:*@*) fail "$image is a digest, which names what is built already; write a tag: IMAGE=${image%@*}:TAG" ;;
push:*/*) ;;
push:*) fail "$image names no registry: make push IMAGE=REGISTRY/gpu-sharing:TAG" ;;
esac
case $verb in build | sbom | push | load) need_builder ;; esac

case $verb in
build)
  "$builder" build --tag "$image" "$(dirname "$0")/.."
  [ "$built" = "$image" ] || "$builder" tag "$image" "$built"
  echo "built $image; next: make push IMAGE=REGISTRY/gpu-sharing:TAG, or for kind, minikube or k3s: make load" ;;
sbom)
  "$builder" build --quiet --target sbom --output . "$(dirname "$0")/.."
  echo 'wrote sbom.json' ;;
push)
  "$builder" tag "$built" "$image" 2>/dev/null ||
    "$builder" inspect --type image "$image" >/dev/null 2>&1 || fail "$built is not built; make image"
  digest=$(digest_of) || fail "$image was not pushed, see above; if you may not: $builder login ${image%%/*}"
  case ${image##*/} in *:*) image=${image%:*} ;; esac
  echo "pushed; next: make install IMAGE=$image@$digest" ;;
load)
  cluster=$(first_of kind minikube k3s)
  case $cluster in
  kind) kind load docker-image "$image" ;;
  minikube) minikube image load "$image" ;;
  k3s) "$builder" save "$image" | k3s ctr images import - ;;
  *) fail 'no kind, minikube or k3s here; push the image to a registry instead: make push' ;;
  esac
  echo "loaded; next: make install IMAGE=$image" ;;
install)
  need_cluster
  case $image in
  *@*) ;;
  */*) echo "note: $image is a tag, which may become another image; make push prints the digest" >&2 ;;
  *) echo "note: $image names no registry; that works where make load put it" >&2 ;;
  esac
  sed "s|image: .*/gpu-sharing:.*|image: $image|" "$(dirname "$0")/install.yaml" | kubectl apply -f - ;;
esac
