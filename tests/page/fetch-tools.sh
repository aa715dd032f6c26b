#!/bin/bash
# fetch-tools.sh CACHE: puts what the page tests drive and measure with into CACHE/page: a driver for the system's
# Chromium, the accessibility rules of axe, two Markdown engines that forums use, a JSON Schema validator, and a package
# that carries the schema of SARIF 2.1.0.
set -euo pipefail

cache=${1:?usage: fetch-tools.sh CACHE}
mkdir -p "$cache/page"
cd "$cache/page"
echo '{"private": true}' >package.json
# Exact versions: a newer one may judge the same page otherwise.
npm install --silent --no-audit --no-fund --no-package-lock --save-exact \
  playwright-core@1.65.1 axe-core@4.14.1 markdown-it@15.0.3 showdown@2.1.0 \
  ajv@8.20.0 ajv-draft-04@1.0.0 @microsoft/jest-sarif@1.0.0-beta.0
touch ready
