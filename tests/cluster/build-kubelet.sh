#!/bin/bash
# build-kubelet.sh FOLDER: builds the genuine kubelet and kube-proxy into FOLDER/bin, from the same source as build-kubernetes.sh builds
# the servers. A script of its own, so that machines that have the servers need not build them again.
#
# Without the clouds' libraries and dockershim, which no node of a test uses. 1.6 GB while building, 150 MB afterwards.
set -euo pipefail

folder=${1:?usage: build-kubelet.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
version=1.20.2
commit=faecb196815e248d3ecfb03c680a4507229c2a56

started=$SECONDS
lap() { echo "[$((SECONDS - started))s] $*"; }

bash "$here/install-packages.sh"

mkdir -p "$folder/bin"
build=$folder/build
chmod -R u+w "$build" 2>/dev/null || true
rm -rf "$build"
mkdir -p "$build"/{bin,apt/lists/partial,download,go/src/k8s.io/kubernetes}
trap 'chmod -R u+w "$build" 2>/dev/null; rm -rf "$build"' EXIT

# The machine's own Debian archive, asked for sources instead of packages.
if [ -f /etc/apt/sources.list.d/debian.sources ]; then
  awk -v RS= '/Suites: bookworm( |\n)/' /etc/apt/sources.list.d/debian.sources | sed 's/^Types: .*/Types: deb-src/' >"$build/apt/debian.sources"
  list=$build/apt/debian.sources
else
  sed -nE 's/^deb (.* bookworm main.*)/deb-src \1/p' /etc/apt/sources.list >"$build/apt/debian.list"
  list=$build/apt/debian.list
fi
[ -s "$list" ] || { echo "build-kubelet: no Debian 12 (bookworm) archive in the sources of apt" >&2; exit 1; }
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::Lists=$build/apt/lists" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$build/download" && "${apt[@]}" source --download-only kubernetes)
orig=$(echo "$build"/download/kubernetes_*really$version.orig.tar.gz)
[ -f "$orig" ] || { echo "build-kubelet: Debian's kubernetes is no longer $version" >&2; exit 1; }

tree=$build/go/src/k8s.io/kubernetes
tar -xzf "$orig" -C "$tree" --strip-components=1
cd "$tree"
# The vendored reflect2 1.0.1 crashes with Go 1.19; Debian carries a later one.
rm -rf vendor/github.com/modern-go/reflect2
cp -r /usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/
lap "source of Kubernetes $version"

export GOPATH=$build/go GOCACHE=$build/gocache GO111MODULE=off CGO_ENABLED=0 GOFLAGS=-tags=providerless,dockerless GOGC=400
ldflags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  set_in="-X k8s.io/kubernetes/vendor/$package"
  ldflags+=" $set_in.gitVersion=v$version $set_in.gitMajor=1 $set_in.gitMinor=20 $set_in.gitCommit=$commit $set_in.gitTreeState=clean"
done
go build -ldflags "$ldflags" -o "$build/bin/" ./cmd/kubelet ./cmd/kube-proxy
lap "kubelet, kube-proxy"
mv "$build"/bin/kube* "$folder/bin/"
