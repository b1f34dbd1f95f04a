"""The public conformance suite. Its other scenarios call tools, resources and prompts of a server that was written for it."""
import pathlib
import subprocess

import pytest
from siltstone import NODE

MAIN = pathlib.Path(__file__).parent / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
SCENARIOS = [
    "server-initialize",
    "ping",
    "tools-list",
    "resources-list",
    "prompts-list",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(server, scenario, tmp_path):
    command = [NODE, str(MAIN), "server", "--url", f"{server.url}/mcp", "--scenario", scenario]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "0 failed" in ran.stdout, ran.stdout
