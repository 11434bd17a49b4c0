#!/usr/bin/env bash
# Puts anvil, an Ethereum node for development, into .tools/bin, for the tests of the EVM side. It comes from whatever npm registry
# this machine is configured for. Without npm, or where the registry has no build for this machine, those tests are skipped and
# say so; this script never fails for that.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.7.1
case "$(uname -s)-$(uname -m)" in
    Linux-x86_64)
        package=@foundry-rs/anvil-linux-amd64
        digest=5727dd8f08f3bf6dde4ec1d9832e87c43f9315ef824bff1ab18486bf51bc7af3
        ;;
    Linux-aarch64)
        # No digest is known for it; npm checks the one the registry states.
        package=@foundry-rs/anvil-linux-arm64
        digest=
        ;;
    *)
        echo "setup: there is no anvil for $(uname -s) on $(uname -m); tests of the EVM side will be skipped"
        exit 0
        ;;
esac

target=.tools/bin/anvil
# The version is written beside the program, which takes half a second to say it.
if [ -x "$target" ] && [ "$(cat "$target.version" 2>/dev/null)" = "$version" ]; then
    exit 0
fi
if ! command -v npm >/dev/null; then
    echo "setup: npm is missing, and with it anvil; tests of the EVM side will be skipped"
    exit 0
fi

echo "setup: fetching anvil $version (19 MB, once)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if ! (cd "$scratch" && timeout 180 npm pack --silent --ignore-scripts "$package@$version" >/dev/null 2>npm.log); then
    echo "setup: npm gives no $package@$version ($(tail -n 1 "$scratch/npm.log" 2>/dev/null)); tests of the EVM side will be skipped"
    exit 0
fi
archive=$(find "$scratch" -name '*.tgz' -print -quit)
if [ -n "$digest" ] && ! echo "$digest  $archive" | sha256sum --check --status; then
    echo "setup: $package@$version is not the archive it was (SHA-256 differs); it is not used" >&2
    exit 0
fi
tar -xzf "$archive" -C "$scratch" package/bin/anvil
mkdir -p .tools/bin
# Renamed into place, so that a program in use is not written to and a half one is never there.
install -m 755 "$scratch/package/bin/anvil" "$target.new"
mv "$target.new" "$target"
echo "$version" >"$target.version"
