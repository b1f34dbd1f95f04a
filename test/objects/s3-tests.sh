#!/usr/bin/env bash
# Runs Ceph's s3-tests (https://github.com/ceph/s3-tests) against the S3 face on a directory, and counts its answers.
#   [REPORT=FILE] bash test/objects/s3-tests.sh CHECKOUT [ARGUMENTS OF PYTEST]
# Most of the suite is about what the face refuses (docs/reference/s3.md): failures are expected, and grouped by their reason.
set -u
[ -d "${1:-}/s3tests" ] || { echo "usage: $0 CHECKOUT-OF-s3-tests [ARGUMENTS OF PYTEST]" >&2; exit 2; }
checkout=$(cd "$1" && pwd)
[ -z "${REPORT:-}" ] || REPORT=$(realpath -m "$REPORT")
shift
cd "$(dirname "$0")/../.."
node=node_modules/.bin/node
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet -r "$checkout/requirements.txt" pytest-timeout || exit 1
secret() { printf '%s-secret-of-the-tests' "$1"; }
"$node" -e '
  const users = ["MAINUSER", "ALTUSER", "TENANTUSER"]
  console.log(JSON.stringify(users.map((id) => ({ accessKeyId: id, secretAccessKey: `${id}-secret-of-the-tests`, user: id }))))
' >"$work/keys.json"
"$node" packages/siltstone/src/cli/siltstone.cjs serve --data "$work/data" --port 0 --objects --objects-port 0 \
  --objects-keys "$work/keys.json" --no-objects-processing >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 300); do grep -q '"server_started"' "$work/log" && break; sleep 0.1; done
port=$(sed -n 's/.*"url":"[^"]*:\([0-9]*\)","msg":"objects_server_started".*/\1/p' "$work/log")
[ -n "$port" ] || { cat "$work/log" >&2; exit 1; }

user() { # SECTION USER
  printf '[s3 %s]\ndisplay_name = siltstone\nuser_id = siltstone\nemail = %s@example.com\napi_name = default\n' "$1" "$1"
  printf 'access_key = %s\nsecret_key = %s\ntenant = %s\n\n' "$2" "$(secret "$2")" "$1"
}
{
  printf '[DEFAULT]\nhost = 127.0.0.1\nport = %s\nis_secure = False\nssl_verify = False\n\n' "$port"
  printf '[fixtures]\nbucket prefix = siltstone-{random}-\niam name prefix = s3-tests-\niam path prefix = /s3-tests/\n\n'
  user main MAINUSER; user alt ALTUSER; user tenant TENANTUSER
  for section in iam 'iam root' 'iam alt root'; do user "$section" MAINUSER | sed 's/^\[s3 /[/'; done
} >"$work/s3tests.conf"

cd "$checkout"
COLUMNS=400 S3TEST_CONF=$work/s3tests.conf "$work/venv/bin/python" -m pytest -q --timeout 90 -p no:cacheprovider --tb=line -rA \
  s3tests/functional/test_s3.py s3tests/functional/test_headers.py "$@" >"$work/report" 2>&1
[ -z "${REPORT:-}" ] || cp "$work/report" "$REPORT"
echo "reasons of failures:"
grep -E '^(FAILED|ERROR) ' "$work/report" | grep -oE 'NotImplemented|Only Signature Version 4|[A-Za-z]+(Error|Denied|Failed)|assert .*' |
  sort | uniq -c | sort -rn | head -15
tail -1 "$work/report"
