#!/usr/bin/env bash
# Runs every example offline and compares what it prints with its README. Arguments name examples; default: all.
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

[ -x ../node_modules/.bin/node ] || fail "there is no Node in node_modules: npm ci first"
. ../test/python/venv.sh
# One environment for all examples in Python; the wheel comes from this repository.
mkdir -p .venv-all
cat ./*/requirements.txt | grep -v '^siltstone-embedder' | sort -u >.venv-all/requirements.txt
venv .venv-all || fail "the Python environment could not be made"
.venv-all/.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall ../packages/embedder-python ||
  fail "the wheel of packages/embedder-python could not be built"
EXAMPLES_PYTHON=$PWD/.venv-all/.venv/bin/python exec ../node_modules/.bin/node ../test/examples/main.ts "$@"
