# shellcheck shell=bash
# Sourced by the scripts: upstream's newest plugins and CNI's own tools, which tests compare with.

PLUGINS_MODULE=github.com/containernetworking/plugins
PLUGINS_VERSION=v1.9.1
CNI_MODULE=github.com/containernetworking/cni
CNI_VERSION=v1.3.0

GO_HINT="Go is not installed: tests that need upstream's plugins, cnitool, noop or libcni are skipped.
       To have them: apt-get install -t bookworm-backports golang-go, or https://go.dev/dl (1.24 or newer)."

# go_tool DIRECTORY MODULE PACKAGE VERSION: an executable in DIRECTORY, unless it is there in that version.
go_tool() {
  local directory=$1 module=$2 package=$3 version=$4 target
  target=$directory/$(basename "$package")
  if [ -x "$target" ] && go version -m "$target" | grep -q "mod[[:space:]]$module[[:space:]]$version"; then
    detail "$version is there"
    return
  fi
  GOBIN=$directory GOFLAGS=-trimpath CGO_ENABLED=0 go install "$module/$package@$version"
  detail "$version"
}

build_libcni_client() {
  (cd test/support/libcni && CGO_ENABLED=0 go build -trimpath -o "$CACHE/bin/libcni-client" .)
}

install_go_tools() {
  command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
  if ! command -v go >/dev/null; then
    [ "${CI:-false}" = false ] || give_up "$GO_HINT"
    echo "  skip           $GO_HINT"
    return
  fi
  step 'upstream bridge' go_tool "$CACHE/plugins" $PLUGINS_MODULE plugins/main/bridge $PLUGINS_VERSION
  step 'upstream host-local' go_tool "$CACHE/plugins" $PLUGINS_MODULE plugins/ipam/host-local $PLUGINS_VERSION
  step 'cnitool' go_tool "$CACHE/bin" $CNI_MODULE cnitool $CNI_VERSION
  step 'noop plugin' go_tool "$CACHE/noop" $CNI_MODULE plugins/test/noop $CNI_VERSION
  step 'libcni client' build_libcni_client
}
