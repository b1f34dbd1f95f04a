# Source this file from a suite of several steps. Counts stand in `passed` and `failed`; needs `node` in PATH.
passed=0
failed=0

# `step NAME COMMAND…` runs a command, which counts as one test.
step() {
  local name=$1
  shift
  local started=$SECONDS
  if "$@" </dev/null; then
    passed=$((passed + 1))
    echo "ok     $name ($((SECONDS - started)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED $name ($((SECONDS - started)) s)"
  fi
}

# `run_vitest VITEST [ARGUMENTS]` adds the tests' counts. A run that fails without a failed test counts as one that failed.
run_vitest() {
  local vitest=$1
  shift
  local report code counts
  report=$(mktemp)
  node "$vitest" run --reporter=default --reporter=json --outputFile.json="$report" "$@" </dev/null
  code=$?
  counts=$(node -e '
    const report = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"))
    const { numPassedTests: passed, numFailedTests: lost, numFailedTestSuites: suites } = report
    console.log(passed, lost > 0 ? lost : Number(process.argv[2]) === 0 && passed > 0 ? 0 : Math.max(1, suites))
  ' "$report" "$code") || counts='0 1'
  rm -f "$report"
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
}

# Prints the line that a suite ends with, and fails unless all have passed.
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
