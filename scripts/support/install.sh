# shellcheck shell=bash
# Sourced by the scripts: the steps that setup, test and quickstart share.

PATH=$PATH:/usr/sbin:/sbin

. scripts/support/steps.sh
. scripts/support/cache.sh
. scripts/support/packages.sh
. scripts/support/guest.sh

node_fits() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a >= 22 || (a === 20 && b >= 19) ? 0 : 1)' \
    2>/dev/null
}

# Debian 12's own Node is too old: npm has newer ones as a package.
OWN_NODE=
find_node() {
  node_fits && command -v npm >/dev/null && return
  OWN_NODE=$CACHE/node-lts/bin
  PATH=$OWN_NODE:$PATH
  if ! node_fits; then
    command -v npm >/dev/null || step 'npm' install_packages npm
    step 'Node' install_node "$NODE_LTS_VERSION" node-lts
  fi
}

# A script can't set its caller's PATH.
tell_node() {
  [ -z "$OWN_NODE" ] || printf '\nTo have the node that fits: export PATH=%s\n' "$OWN_NODE:\$PATH"
}

# What root has built is the user's who called sudo.
give_back() {
  local made
  [ -n "${SUDO_UID-}" ] && [ -n "${SUDO_GID-}" ] || return 0
  for made in dist build node_modules; do
    [ ! -e "$made" ] || chown -Rh "$SUDO_UID:$SUDO_GID" "$made"
  done
}
trap 'remove_step_files; give_back' EXIT

install_modules() {
  if [ node_modules/.package-lock.json -nt package-lock.json ]; then
    detail 'up to date'
    return
  fi
  npm ci --ignore-scripts --no-audit --no-fund
  touch node_modules/.package-lock.json
}

# Everything that building and running need, the guest included.
install_all() {
  [ "$(id -u)" -eq 0 ] || give_up "This installs packages and makes network namespaces: run it as root (sudo $0)."
  step 'packages' install_packages "${PACKAGES[@]}"
  find_node
  step 'npm packages' install_modules
  step 'TypeScript' npm run --silent build:ts
  step 'native addon and plugin' npm run --silent build:native
  step 'guest kernel' unpack_guest_kernel
  step 'guest image' build_guest_image
}
