#!/bin/bash
# build-kubernetes.sh FOLDER: builds kube-apiserver, kube-controller-manager, kube-scheduler and kubemark into FOLDER/bin,
# from Debian's source package of Kubernetes 1.20.2, the version that BlueKing 7.0 users run.
#
# 2.3 GB while building and 340 MB afterwards; it says where its time goes. kubemark's hollow kubelet is the genuine
# kubelet over a fake container runtime; hollow-kubelet.patch lets the YAML of a pod say how its containers fail (see
# `behaviour.go` in the patch).
set -euo pipefail

folder=${1:?usage: build-kubernetes.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
version=1.20.2
commit=faecb196815e248d3ecfb03c680a4507229c2a56

started=$SECONDS
lap() { echo "[$((SECONDS - started))s] $*"; }

bash "$here/install-packages.sh"
lap "packages"

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
[ -s "$list" ] || { echo "build-kubernetes: no Debian 12 (bookworm) archive in the sources of apt" >&2; exit 1; }
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::Lists=$build/apt/lists" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$build/download" && "${apt[@]}" source --download-only kubernetes)
orig=$(echo "$build"/download/kubernetes_*really$version.orig.tar.gz)
[ -f "$orig" ] || { echo "build-kubernetes: Debian's kubernetes is no longer $version" >&2; exit 1; }

tree=$build/go/src/k8s.io/kubernetes
tar -xzf "$orig" -C "$tree" --strip-components=1
cd "$tree"
# The vendored reflect2 1.0.1 crashes with Go 1.19; Debian carries a later one.
rm -rf vendor/github.com/modern-go/reflect2
cp -r /usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/
patch -s -p1 <"$here/hollow-kubelet.patch"
lap "source of Kubernetes $version"

# The compiler collects garbage less often: it lives for seconds. No test cluster lies in anybody's cloud, and the
# libraries of the clouds are a good part of all code.
export GOPATH=$build/go GOCACHE=$build/gocache GO111MODULE=off CGO_ENABLED=0 GOFLAGS=-tags=providerless GOGC=400
ldflags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  set_in="-X k8s.io/kubernetes/vendor/$package"
  ldflags+=" $set_in.gitVersion=v$version $set_in.gitMajor=1 $set_in.gitMinor=20 $set_in.gitCommit=$commit $set_in.gitTreeState=clean"
done

# The API server needs zz_generated.openapi.go, which the tarball leaves out. Generating it keeps one core busy for long;
# what does not need it is built meanwhile.
openapi() {
  go build -o "$build/bin/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  inputs=$(grep -Rl --include='*.go' --exclude='zz_generated*' -- '+k8s:openapi-gen=' pkg/apis vendor/k8s.io |
    grep -vE '^vendor/k8s.io/(code-generator|sample-apiserver|gengo|kube-openapi)/|/testdata/|_test.go' |
    xargs -n1 dirname | LC_ALL=C sort -u | sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
  "$build/bin/openapi-gen" --logtostderr -i "$inputs" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -r "$build/violations.txt"
  lap "openapi generated"
}
openapi &
generating=$!
built=0
go build -ldflags "$ldflags" -o "$build/bin/" ./cmd/kube-scheduler ./cmd/kube-controller-manager ./cmd/kubemark || built=$?
lap "kube-scheduler, kube-controller-manager, kubemark"
# Neither is left behind when the other fails.
wait "$generating"
[ "$built" -eq 0 ]
go build -ldflags "$ldflags" -o "$build/bin/" ./cmd/kube-apiserver
lap "kube-apiserver"
mv "$build"/bin/kube* "$folder/bin/"
