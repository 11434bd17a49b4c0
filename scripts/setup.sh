#!/usr/bin/env bash
# Installs what the project needs and this machine lacks, with the system's package manager (Debian, Ubuntu).
# Says what it would do and asks first, unless there is no terminal or FLUXPLANE_YES=1 is set.
set -euo pipefail

# What each package is for; the check is cheaper and truer than asking the package manager.
missing=()
need() { # need CHECK PACKAGE...
    if ! eval "$1" >/dev/null 2>&1; then
        shift
        missing+=("$@")
    fi
}

need 'command -v cc' build-essential
need 'command -v curl' curl ca-certificates
need 'command -v psql' postgresql-client
need 'ls /usr/lib/postgresql/*/bin/initdb' postgresql
need 'command -v nats-server' nats-server
need 'command -v busybox' busybox-static
need 'command -v setpriv' util-linux

# Containers: a Docker that runs is used as it is; else Podman, which needs no daemon.
if ! docker info >/dev/null 2>&1; then
    need 'command -v podman' podman runc netavark aardvark-dns iptables
    need 'command -v runc' runc
    need 'command -v iptables' iptables
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

agreed() { # agreed QUESTION
    if [ "${FLUXPLANE_YES:-}" = 1 ] || [ ! -t 0 ]; then return 0; fi
    read -r -p "$1 [Y/n] " answer
    case "$answer" in "" | y | Y | yes) return 0 ;; *) return 1 ;; esac
}

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "setup: this machine lacks: ${missing[*]}" >&2
        echo "setup: there is no apt-get here; install them with your package manager and run again" >&2
        exit 1
    fi
    echo "setup: to be installed with apt-get: ${missing[*]}"
    agreed "Install them now?" || exit 1
    # The package would otherwise make and start a server on port 5432; we run private ones.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        as_root mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    as_root apt-get update -qq
    # Older releases lack some of Podman's optional parts; what exists is installed.
    available=()
    for package in "${missing[@]}"; do
        if [ -n "$(apt-cache show "$package" 2>/dev/null | head -c 1)" ]; then
            available+=("$package")
        else
            echo "setup: this release has no package $package, going on without it"
        fi
    done
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${available[@]}" >/dev/null
fi

if ! command -v cargo >/dev/null && [ ! -x "$HOME/.cargo/bin/cargo" ]; then
    echo "setup: Rust is missing; it is installed by rustup into ~/.cargo and ~/.rustup"
    agreed "Install it now?" || exit 1
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --no-modify-path --profile minimal
fi
export PATH="$HOME/.cargo/bin:$PATH"

if ! cargo nextest --version >/dev/null 2>&1; then
    echo "setup: building the test runner cargo-nextest (a few minutes, once)"
    cargo install --quiet --locked cargo-nextest
fi

# Only tests want it, and they do without.
"$(dirname "$0")/anvil.sh" || echo "setup: anvil could not be fetched; tests of the EVM side will be skipped"
