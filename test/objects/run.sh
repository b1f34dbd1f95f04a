#!/usr/bin/env bash
# The S3 face of `siltstone serve --objects` with clients by others: the AWS CLI, boto3 and rclone, each with its default
# settings. Arguments go to pytest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
# shellcheck source=../python/suite.sh
. ../python/suite.sh
venv . || fail "the Python environment could not be made"

run_pytest .venv/bin/python "$@"
