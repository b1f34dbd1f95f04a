#!/usr/bin/env bash
# Real Chroma directories and servers, migrated by `siltstone migrate` and compared with what Chroma's own client answers:
# Chroma 1.5 in test/python's environment, and older versions in one of their own. Arguments go to pytest. Ends with
# "N passed, N failed".
set -u
cd "$(dirname "$0")"
fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

export SILTSTONE_NODE=$PWD/../../node_modules/.bin/node
[ -x "$SILTSTONE_NODE" ] || fail "there is no Node in node_modules: npm ci first"
# shellcheck source=../python/venv.sh
. ../python/venv.sh

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

report=$(mktemp)
trap 'rm -f "$report"' EXIT
export ANONYMIZED_TELEMETRY=False PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PWD/../python
export CHROMA_OLD=$OLD
../python/.venv/bin/python -m pytest -p no:cacheprovider -c pytest.ini --junitxml="$report" "$@"
count_junit ../python/.venv/bin/python "$report" $?
