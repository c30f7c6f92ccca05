#!/usr/bin/env bash
# Installs what `nopage lab` needs on Debian 12: QEMU, a compiler, the headers to build modules, and Debian's kernels, which are
# unpacked into a cache folder and not installed. With --full also the kernel that has every driver. Needs root for apt-get.
set -euo pipefail

release=6.1.0-56
cache=${NOPAGE_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nopage/lab}
flavours=(cloud)
[ "${1:-}" = --full ] && flavours+=(full)

package() {
  case $1 in
    cloud) echo "linux-image-$release-cloud-amd64" ;;
    full) echo "linux-image-$release-amd64" ;;
  esac
}

missing=()
installed() { dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
for name in qemu-system-x86 gcc libc6-dev make patch "linux-headers-$release-cloud-amd64" util-linux; do
  installed "$name" || missing+=("$name")
done
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update --quiet
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
fi

for flavour in "${flavours[@]}"; do
  [ -n "$(ls "$cache/$flavour/boot/vmlinuz-$release"* 2>/dev/null)" ] && continue
  name=$(package "$flavour")
  # A kernel that was unpacked half is not taken for one: it is moved into place at the end.
  draft=$(mktemp --directory)
  (cd "$draft" && { apt-get download --quiet --option APT::Sandbox::User=root "$name" || { apt-get update --quiet && apt-get download --quiet --option APT::Sandbox::User=root "$name"; }; })
  dpkg-deb --extract "$draft/$name"_*.deb "$draft/$flavour"
  mkdir --parents "$cache"
  rm --recursive --force "${cache:?}/$flavour"
  mv "$draft/$flavour" "$cache/$flavour"
  rm --recursive --force "$draft"
done
echo "The lab has what it needs; its kernels are in $cache."
