#!/usr/bin/env bash
# Histories of real processes, checked by Porcupine. Without arguments: what CI runs, within 3 minutes on two cores. It needs
# Go for the checker, and Python for the server of S3. Arguments: see main.ts. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.."
if [ $# -eq 0 ]; then set -- --operations 500 --seconds 20; fi
exec node_modules/.bin/node test/linearizable/main.ts "$@"
