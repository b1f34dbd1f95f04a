#!/usr/bin/env bash
# Asks a real Chroma (test/python's environment) and writes its answers where tests compare ours with them: what the patterns
# of cases.py match (filter/regex.golden.test.ts), and which legacy metadata it takes (chroma/configuration/hnsw.test.ts).
set -eu
cd "$(dirname "$0")"
# shellcheck source=../python/venv.sh
. ../python/venv.sh
venv ../python
export ANONYMIZED_TELEMETRY=False PYTHONDONTWRITEBYTECODE=1
source=../../packages/siltstone/src
../python/.venv/bin/python regex.py $source/filter/golden/rust-regex.json
../python/.venv/bin/python hnsw.py $source/chroma/golden/hnsw.json
