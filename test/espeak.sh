# For scripts that need spoken text: installs Debian's espeak-ng where there is none, or prints why it cannot and exits.
if ! command -v espeak-ng >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends espeak-ng) >/dev/null 2>&1
fi
if ! command -v espeak-ng >/dev/null; then
  echo "There is no espeak-ng: install it (apt-get install espeak-ng)."
  echo "0 passed, 1 failed"
  exit 1
fi
