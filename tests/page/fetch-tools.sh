#!/bin/bash
# fetch-tools.sh CACHE: puts what the page tests drive and measure with into CACHE/page: a driver for the system's
# Chromium, the accessibility rules of axe, and two Markdown engines that forums use.
set -euo pipefail

cache=${1:?usage: fetch-tools.sh CACHE}
mkdir -p "$cache/page"
cd "$cache/page"
echo '{"private": true}' >package.json
# Exact versions: a newer one may judge the same page otherwise.
npm install --silent --no-audit --no-fund --no-package-lock --save-exact \
  playwright-core@1.65.1 axe-core@4.14.1 markdown-it@15.0.3 showdown@2.1.0
touch ready
