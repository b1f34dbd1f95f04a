#!/usr/bin/env bash
# Crash tests, short: within 90 s on two cores. Ends with "N passed, N failed". For longer: npm run crash -- --rounds N
set -u
cd "$(dirname "$0")/../.."
exec node_modules/.bin/node test/crash/main.ts --rounds "${CRASH_ROUNDS:-20}" --seconds 45 "$@"
