#!/usr/bin/env bash
# The drivers of S3, SQS and DynamoDB, and the whole product on them, against emulators by other projects. They are
# installed into .venv/ at pinned versions and started on 127.0.0.1; if AWS_ENDPOINT_URL is set, only that server is used.
# Arguments are passed to vitest. Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
if [ ! -x node_modules/.bin/node ]; then
  echo "there is no Node in node_modules: npm ci first" >&2
  echo "0 passed, 1 failed"
  exit 1
fi
exec node_modules/.bin/node test/aws/main.ts "$@"
