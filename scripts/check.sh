#!/usr/bin/env bash
# Everything `make check` checks, in the order of how fast it fails.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$1"; }

step "format"
cargo fmt --all --check

# Everything that the tests need too, once: a build of one package alone would choose other features.
step "build"
cargo build --workspace --locked --bins --tests --examples --quiet
xtask=${CARGO_TARGET_DIR:-target}/debug/xtask

step "layers and sizes"
"$xtask" layers
"$xtask" sizes

step "clippy"
cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

step "queries against migrations (.sqlx)"
"$xtask" sqlx-prepare --check

step "proto compatibility"
"$xtask" proto-check

step "openapi document"
"$xtask" openapi --check

# Tools that are not everywhere: what is missing is said, never passed over.
skipped=0
optional() { # optional COMMAND TITLE ARGS...
    local tool=$1 title=$2
    shift 2
    step "$title"
    if command -v "$tool" >/dev/null; then
        "$@"
    else
        echo "SKIPPED: $tool is not installed (cargo install $tool)"
        skipped=$((skipped + 1))
    fi
}
optional cargo-deny "licences, bans, sources" cargo deny --offline check bans licenses sources
optional cargo-machete "unused dependencies" cargo machete
optional shellcheck "shell scripts" shellcheck scripts/*.sh .ci/run

printf '\ncheck: clean, %s optional checks skipped\n' "$skipped"
