#!/usr/bin/env bash
# Uses the web console in a real browser, Chromium. CHROMIUM may name it; where there is none, Debian's is installed.
# Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${CHROMIUM:-}" ]; then
  CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
  if [ -z "$CHROMIUM" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium) >/dev/null 2>&1
    CHROMIUM=$(command -v chromium)
  fi
fi
if [ -z "$CHROMIUM" ]; then
  echo "There is no Chromium: install it (apt-get install chromium), or name it in CHROMIUM."
  echo "0 passed, 1 failed"
  exit 1
fi
export CHROMIUM
exec node_modules/.bin/node test/console/main.ts
