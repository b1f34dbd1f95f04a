#!/usr/bin/env bash
# Asks a real Chroma (test/python's environment) what the patterns of cases.py match, and writes its answers to
# packages/siltstone/src/filter/golden/rust-regex.json, which packages/siltstone/src/filter/regex.golden.test.ts compares.
set -eu
cd "$(dirname "$0")"
# shellcheck source=../python/venv.sh
. ../python/venv.sh
venv ../python
export ANONYMIZED_TELEMETRY=False PYTHONDONTWRITEBYTECODE=1
../python/.venv/bin/python record.py ../../packages/siltstone/src/filter/golden/rust-regex.json
