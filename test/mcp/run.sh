#!/usr/bin/env bash
# Speaks the Model Context Protocol to the server and to `siltstone mcp` with programs that are not ours: the public conformance
# suite, the SDK for Python, LangChain's adapter. Arguments are passed to pytest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
. ../python/suite.sh
venv . || fail "the Python environment could not be made"
npm install --ignore-scripts --workspaces=false --no-package-lock --no-audit --no-fund --silent || fail "the conformance suite could not be installed"
run_pytest .venv/bin/python "$@"
