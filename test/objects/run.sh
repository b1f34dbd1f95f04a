#!/usr/bin/env bash
# The S3 face of `siltstone serve --objects` with clients by others: the AWS CLI, boto3 and rclone, each with its default
# settings; and what becomes of uploads, speech included. Arguments go to pytest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
# shellcheck source=../python/suite.sh
. ../python/suite.sh
# shellcheck source=../espeak.sh
. ../espeak.sh
"$SILTSTONE_NODE" ../../packages/transcriber-english/src/build/build-model.ts || fail "the model of speech could not be made"
venv . || fail "the Python environment could not be made"

run_pytest .venv/bin/python "$@"
