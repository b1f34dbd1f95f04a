"""The REST contract: Schemathesis asks what the OpenAPI document allows and what it forbids, and compares every answer with it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ADMIN, BIN, Registry

HERE = Path(__file__).parent


@pytest.fixture(params=["directory", "sqlite"])
def contract_registry(request, tmp_path):
    place = request.config.getoption("--place")
    if place and request.param == "sqlite":
        pytest.fail("--place names one place: add -k directory")
    started = Registry(tmp_path, place or (f"sqlite:///{tmp_path}/registry.db" if request.param == "sqlite" else ""))
    yield started
    started.stop()


def test_every_answer_is_as_documented(contract_registry, request, tmp_path):
    registry = contract_registry
    for type_of, name in [("model", "tern"), ("dataset", "gales"), ("code", "trainer")]:
        registry.call("POST", f"/artifact/{type_of}", {"url": f"https://elsewhere.test/ada/{name}"})
    is_sqlite = request.node.callspec.params["contract_registry"] == "sqlite"
    # What differs by place is covered without the random examples.
    phases = "examples,coverage" if is_sqlite else "examples,coverage,fuzzing"
    if request.config.getoption("--stateful"):
        phases = "examples,coverage,fuzzing,stateful"
    options = ["--phases", phases, "--max-examples", str(request.config.getoption("--examples")), "--seed", "1"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "SCHEMATHESIS_HOOKS": "contract_hooks",
        "REGISTRY_URL": registry.url,
        "REGISTRY_ADMIN": json.dumps(ADMIN),
    }
    command = [str(BIN / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml"), "run", f"{registry.url}/openapi.json"]
    done = subprocess.run(
        [*command, *options, "--continue-on-failure"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=1_500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert counted and int(counted[2]) > 300, done.stdout
    print(counted[0])
