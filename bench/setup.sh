#!/bin/sh
# Installs what is measured beside Siltstone, into bench/.data (git-ignored): Chroma's own server.
set -eu
cd "$(dirname "$0")"
mkdir -p .data
test -d .data/venv || python3 -m venv .data/venv
.data/venv/bin/pip install --quiet --disable-pip-version-check 'chromadb==1.5.9'
.data/venv/bin/chroma --version
