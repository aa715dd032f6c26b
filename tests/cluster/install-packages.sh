#!/bin/bash
# install-packages.sh: installs what packages.txt lists, if anything of it is missing.
set -euo pipefail

mapfile -t packages < <(grep -v '^#' "$(dirname "$0")/packages.txt")
wanted=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
  [[ $status == 'install ok'* ]] && continue
  # A tool that came by another way than its package is as good.
  case $package in
    npm | python3 | patch | openssl) command -v "$package" >/dev/null && continue ;;
  esac
  wanted+=("$package")
done
[ ${#wanted[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "missing packages: ${wanted[*]}" >&2
  echo "hint: as root, run: apt-get install --no-install-recommends ${wanted[*]}" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
