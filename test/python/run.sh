#!/usr/bin/env bash
# Tests the server from outside: the unchanged Python client, deltas by another Arrow implementation, and the documented
# formats read without Siltstone's code. Arguments are passed to pytest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
. ./suite.sh
venv . || fail "the Python environment could not be made"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall ../../packages/embedder-python ||
  fail "the wheel of packages/embedder-python could not be built"

export ANONYMIZED_TELEMETRY=False
run_pytest .venv/bin/python "$@"
