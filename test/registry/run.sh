#!/usr/bin/env bash
# The Hub API of `siltstone serve --registry` with unchanged clients by others: huggingface_hub and its command `hf`. Arguments go
# to pytest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
# shellcheck source=../python/suite.sh
. ../python/suite.sh
venv . || fail "the Python environment could not be made"

run_pytest .venv/bin/python "$@"
