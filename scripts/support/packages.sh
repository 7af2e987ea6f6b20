# shellcheck shell=bash
# Sourced by the scripts: what they need of Debian's packages.

BUILD_PACKAGES=(
  g++ make pkg-config python3
  libnl-3-dev libnl-route-3-dev libnftnl-dev libmnl-dev nlohmann-json3-dev
)
RUN_PACKAGES=(iproute2 nftables containernetworking-plugins)
# kmod and cpio build the guest's image; the kernel and busybox come as packages that are unpacked, not installed.
GUEST_PACKAGES=(qemu-system-x86 kmod cpio)
TEST_PACKAGES=(
  clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev cmake libgtest-dev
  chromium iptables iputils-ping linux-perf procps psmisc shellcheck strace tcpdump
)

PACKAGES=("${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${GUEST_PACKAGES[@]}")

# Those of the named packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || echo "$package"
  done
}

apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@"; }

# The package lists are fetched only where they are missing or too old to install from.
with_fresh_lists() {
  "$@" && return
  echo 'failed: fetching newer package lists'
  apt update
  "$@"
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} -eq 0 ]; then
    detail "all $# are there"
    return
  fi
  with_fresh_lists apt install -y --no-install-recommends "${missing[@]}"
  detail "installed ${missing[*]}"
}

# unpack_package NAME DIRECTORY: the package's files, without installing it.
unpack_package() {
  local scratch
  scratch=$(mktemp -d)
  chmod 755 "$scratch"
  (cd "$scratch" && with_fresh_lists apt download "$1" -o APT::Sandbox::User=root)
  mkdir -p "$2"
  dpkg-deb -x "$scratch"/*.deb "$2"
  rm -rf "$scratch"
}
