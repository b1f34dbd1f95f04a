#!/usr/bin/env bash
# Real Chroma directories and servers, migrated by `siltstone migrate` and compared with what Chroma's own client answers:
# Chroma 1.5 in test/python's environment, and older versions in one of their own. Arguments go to pytest. Ends with
# "N passed, N failed".
set -u
cd "$(dirname "$0")"
# shellcheck source=../python/suite.sh
. ../python/suite.sh

# Their dependencies are shared: each version is a folder that shadows the installed one.
OLD='0.4.3 0.4.14 0.4.24 0.5.0 0.5.23 0.6.3 1.0.20'
old_versions() {
  venv . || return 1
  local version
  for version in $OLD; do
    [ -d ".venv/chroma/$version/chromadb" ] && continue
    rm -rf ".venv/chroma/$version"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps \
      --target ".venv/chroma/$version" "chromadb==$version" || return 1
  done
}
old_versions &
old=$!
venv ../python || fail "the Python environment could not be made"
wait "$old" || fail "the environment of old Chroma versions could not be made"

export ANONYMIZED_TELEMETRY=False PYTHONPATH=$PWD/../python
export CHROMA_OLD=$OLD
run_pytest ../python/.venv/bin/python "$@"
