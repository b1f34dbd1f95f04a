# For scripts that use a real browser: sets CHROMIUM, or prints why it cannot and exits. Where there is no Chromium, Debian's
# is installed.
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
