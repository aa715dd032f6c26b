#!/bin/bash
# fetch-sshd.sh CACHE: puts Debian's own sshd and libfaketime into CACHE/sshd.
#
# The packages are unpacked, not installed: installing openssh-server may start one on all addresses of this machine.
set -euo pipefail

cache=${1:?usage: fetch-sshd.sh CACHE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

echo "fetching sshd and libfaketime"
(cd "$work" && apt-get download -qq openssh-server libwrap0 libfaketime 2>/dev/null) ||
  (apt-get update -qq && cd "$work" && apt-get download -qq openssh-server libwrap0 libfaketime)
rm -rf "$cache/sshd"
mkdir -p "$cache/sshd"
for package in "$work"/*.deb; do
  dpkg-deb -x "$package" "$work/root"
done
cp "$work/root/usr/sbin/sshd" "$cache/sshd/"
find "$work/root" -name 'libwrap.so*' -exec cp -L {} "$cache/sshd/" \;
find "$work/root" -name 'libfaketime.so.1' -exec cp -L {} "$cache/sshd/" \;
