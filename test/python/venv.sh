# Source this file: `venv DIRECTORY` creates DIRECTORY/.venv with the packages of DIRECTORY/requirements.txt, unless it
# exists for the same interpreter and the same packages.
venv() {
  local stamp
  stamp=$(python3 -c 'import sys; print(sys.executable, sys.version)'; cat "$1/requirements.txt")
  if [ "$(cat "$1/.venv/stamp" 2>/dev/null)" != "$stamp" ]; then
    rm -rf "$1/.venv"
    python3 -m venv "$1/.venv" || return 1
    "$1/.venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1/requirements.txt" || return 1
    printf '%s\n' "$stamp" >"$1/.venv/stamp"
  fi
}

# `count_junit PYTHON REPORT EXIT_CODE` prints "N passed, N failed" and fails unless all have passed.
count_junit() {
  "$1" - "$2" "$3" <<'PY'
import sys
import xml.etree.ElementTree as ET

try:
    suites = list(ET.parse(sys.argv[1]).getroot().iter("testsuite"))
    count = lambda name: sum(int(suite.get(name)) for suite in suites)
    # A skipped test counts as failed.
    failed = count("failures") + count("errors") + count("skipped")
    passed = max(0, count("tests") - failed)
except Exception as error:
    print(f"pytest left no report: {error}")
    passed, failed = 0, 1
if sys.argv[2] != "0" and failed == 0:
    failed = 1
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
PY
}
