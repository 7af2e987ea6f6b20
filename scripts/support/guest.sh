# shellcheck shell=bash
# Sourced by the scripts: the kernel and the initramfs of the guests that the quickstart and test/guest boot.

# Modules of the cloud kernel that the guest's network card needs; what they depend on is added.
GUEST_MODULES=(virtio_pci virtio_net net_failover failover)

cloud_kernel_package() {
  apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

# The kernel's package is unpacked; nothing is installed on the host.
unpack_guest_kernel() {
  local package target=$CACHE/guest
  package=$(cloud_kernel_package)
  if [ -z "$package" ]; then
    apt update
    package=$(cloud_kernel_package)
  fi
  if [ -e "$target/vmlinuz" ] && [ "$(cat "$target/kernel" 2>/dev/null)" = "$package" ]; then
    detail "$package is there"
    return
  fi
  rm -rf "$target"
  unpack_package "$package" "$target/unpacked"
  unpack_package busybox-static "$target/unpacked"
  depmod --basedir "$target/unpacked" "${package#linux-image-}"
  cp "$target"/unpacked/boot/vmlinuz-* "$target/vmlinuz"
  echo "$package" >"$target/kernel"
  detail "$package, unpacked"
}

# Paths of the guest's modules, each after those that it needs.
guest_module_paths() {
  local modules=$1 name
  for name in "${GUEST_MODULES[@]}"; do
    grep -E "/$name\.ko[^:]*:" "$modules/modules.dep" | tr -d ':' | tr ' ' '\n' | tac
  done | awk 'NF && !seen[$0]++'
}

# Whether a file is newer than all that it is made from.
newer_than_all() {
  local file=$1 source
  shift
  for source in "$@"; do
    [ "$file" -nt "$source" ] || return 1
  done
}

# An initramfs: busybox, the modules in the order of loading, and what is in test/support/guest.
build_guest_image() {
  local target=$CACHE/guest sources=test/support/guest image root modules path
  image=$target/initramfs.cpio.gz
  if newer_than_all "$image" "$sources"/* "$target/vmlinuz" scripts/support/guest.sh; then
    detail 'up to date'
    return
  fi
  root=$(mktemp -d)
  modules=$(echo "$target"/unpacked/lib/modules/*)
  mkdir -p "$root"/{bin,dev,lib,proc,sys,tmp}
  cp "$target/unpacked/bin/busybox" "$root/bin/busybox"
  install -m 755 "$sources/init" "$root/init"
  gcc -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static "$sources/send-frame.c" -o "$root/bin/send-frame"
  guest_module_paths "$modules" | while read -r path; do
    cp "$modules/$path" "$root/lib/"
    basename "$path"
  done >"$root/lib/order"
  (cd "$root" && find . | cpio --quiet -o -H newc | gzip -9) >"$image.new"
  mv "$image.new" "$image"
  rm -rf "$root"
  detail "$(du -h "$image" | cut -f 1)"
}
