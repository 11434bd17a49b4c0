#!/bin/sh
# Builds the demo image out of the machine's static busybox, without a registry.
#
# usage: build.sh TAG [ENGINE [OPTION...]]
#   build.sh localhost/fluxplane-demo:1
#   build.sh localhost/fluxplane-demo:1 podman --root /tmp/p/root --runroot /tmp/p/run
#   build.sh localhost/fluxplane-demo:1 docker -H unix:///tmp/docker.sock
#
# DEMO_PORT   where it listens unless its PORT says otherwise, 8080 by default
set -eu

tag=${1:?usage: build.sh TAG [ENGINE [OPTION...]]}
shift
[ $# -gt 0 ] || set -- podman
here=$(cd "$(dirname "$0")" && pwd)
busybox=$(command -v busybox) || { echo "busybox is missing; install busybox-static" >&2; exit 1; }

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir -p "$context/rootfs/bin"
cp "$busybox" "$context/rootfs/bin/busybox"
for applet in sh cat mkdir echo sleep id ls wget; do
    ln -s busybox "$context/rootfs/bin/$applet"
done
cp "$here/serve.sh" "$context/rootfs/serve.sh"
cp "$here/Containerfile" "$context/Containerfile"
# DOCKER_BUILDKIT=0: the plain builder needs no plugin.
DOCKER_BUILDKIT=0 "$@" build -q -t "$tag" \
    --build-arg "PORT=${DEMO_PORT:-8080}" -f "$context/Containerfile" "$context"
