#!/bin/bash
# fetch-tools.sh FOLDER: puts what the page tests drive and measure with into FOLDER: a driver for the system's
# Chromium, the accessibility rules of axe, two Markdown engines that forums use, a JSON Schema validator, and a package
# that carries the schema of SARIF 2.1.0.
set -euo pipefail

folder=${1:?usage: fetch-tools.sh FOLDER}
mkdir -p "$folder"
cd "$folder"
echo '{"private": true}' >package.json
# Exact versions: a newer one may judge the same page otherwise.
npm install --silent --no-audit --no-fund --no-package-lock --save-exact \
  playwright-core@1.65.1 axe-core@4.14.1 markdown-it@15.0.3 showdown@2.1.0 \
  ajv@8.20.0 ajv-draft-04@1.0.0 @microsoft/jest-sarif@1.0.0-beta.0
