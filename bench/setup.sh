#!/bin/sh
# Installs the software that Siltstone is compared with, into git-ignored folders: Chroma's own server, numpy, tantivy and bm25s into
# bench/.data, the libraries into bench/node_modules. hnswlib-node is compiled and needs a C++ compiler.
set -eu
cd "$(dirname "$0")"
mkdir -p .data
test -d .data/venv || python3 -m venv .data/venv
.data/venv/bin/pip install --quiet --disable-pip-version-check 'chromadb==1.5.9' numpy 'tantivy==0.27.0' 'bm25s==0.3.16'
.data/venv/bin/chroma --version
npm install --workspaces=false --no-package-lock --no-audit --no-fund
