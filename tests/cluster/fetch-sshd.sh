#!/bin/bash
# fetch-sshd.sh FOLDER: puts Debian's own sshd and libfaketime into FOLDER.
#
# The packages are unpacked, not installed: installing openssh-server may start one on all addresses of this machine.
set -euo pipefail

folder=${1:?usage: fetch-sshd.sh FOLDER}
packages=(openssh-server libwrap0 libfaketime)
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

cd "$work"
apt-get download -qq "${packages[@]}" 2>/dev/null || { apt-get update -qq && apt-get download -qq "${packages[@]}"; }
for package in *.deb; do
  dpkg-deb -x "$package" root
done
find root -name 'libwrap.so*' -exec cp -L {} "$folder/" \;
find root -name 'libfaketime.so.1' -exec cp -L {} "$folder/" \;
cp root/usr/sbin/sshd "$folder/"
