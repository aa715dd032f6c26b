#!/bin/bash
# fetch-node.sh FOLDER: puts what a real node runs, beside its kubelet, into FOLDER: Debian's containerd, runc and CNI plugins, busybox
# and iptables.
#
# The packages are unpacked, not installed: installing containerd would start one on this machine.
set -euo pipefail

folder=${1:?usage: fetch-node.sh FOLDER}
packages=(containerd runc containernetworking-plugins busybox-static iptables libip4tc2 libip6tc2 libxtables12 libmnl0
  libnetfilter-conntrack3 libnfnetlink0 libnftnl11 libseccomp2)
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

cd "$work"
apt-get download -qq "${packages[@]}" 2>/dev/null || { apt-get update -qq && apt-get download -qq "${packages[@]}"; }
for package in *.deb; do
  dpkg-deb -x "$package" root
done
rm -rf "$folder/bin" "$folder/cni" "$folder/lib"
mkdir -p "$folder/bin" "$folder/cni" "$folder/lib"
cp -L root/usr/bin/{containerd,containerd-shim-runc-v2,ctr} root/usr/sbin/runc root/bin/busybox root/usr/sbin/xtables-nft-multi "$folder/bin/"
# Which of its programs it is, it reads from its name.
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -s xtables-nft-multi "$folder/bin/$name"
done
cp root/usr/lib/cni/{bridge,host-local,loopback,portmap} "$folder/cni/"
find root -name 'lib*.so.*' -exec cp -P {} "$folder/lib/" \;
cp -r root/usr/lib/x86_64-linux-gnu/xtables "$folder/lib/"
