#!/usr/bin/env bash
# Asks a real Chroma (test/python's environment) and writes its answers where tests compare ours with them: what the patterns
# of cases.py match (filter/regex.golden.test.ts), which legacy metadata it takes (chroma/configuration/hnsw.test.ts), and how its
# clients stem and weigh words (text/).
set -eu
cd "$(dirname "$0")"
# shellcheck source=../python/venv.sh
. ../python/venv.sh
venv ../python
export ANONYMIZED_TELEMETRY=False PYTHONDONTWRITEBYTECODE=1
source=../../packages/siltstone/src
../python/.venv/bin/python regex.py $source/filter/golden/rust-regex.json
../python/.venv/bin/python hnsw.py $source/chroma/golden/hnsw.json
# English stems and `chroma_bm25` vectors of both clients, for the words and texts that the files hold.
clients=$(mktemp -d)
trap 'rm -rf "$clients"' EXIT
npm install --silent --ignore-scripts --prefix "$clients" @chroma-core/chroma-bm25@0.1.10 chromadb@3.5.0 snowball-stemmers@0.6.0
../python/.venv/bin/pip install --quiet snowballstemmer==3.1.1 mmh3==5.3.1
node bm25.mjs "$clients" $source/text/golden/english-stems.json $source/text/golden/chroma-bm25.json
../python/.venv/bin/python bm25.py $source/text/golden/english-stems.json $source/text/golden/chroma-bm25.json
