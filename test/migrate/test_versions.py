"""Directories that many versions of Chroma write, against what the same version answers."""
import base64
import gzip
import json
import os
import pathlib
import sqlite3
import subprocess
import sys

import chroma
import numpy as np
import pytest
from siltstone import MAIN, NODE, Server, cli

HERE = pathlib.Path(__file__).parent
SCRIPT = HERE / "../../packages/migrate/src/golden/make-chroma-directory.py"
OLD = os.environ["CHROMA_OLD"].split()


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Makes the directory of a version once. Returns its path and what the version answers."""
    made = {}

    def directory(version):
        if version not in made:
            path = tmp_path_factory.mktemp(version)
            python = HERE / ".venv/bin/python" if version in OLD else sys.executable
            overlay = HERE / ".venv/chroma" / version
            environment = {**os.environ, "PYTHONPATH": str(overlay) if version in OLD else ""}
            subprocess.run([python, SCRIPT, path / "golden.gz"], env=environment, check=True, timeout=120, stdout=subprocess.DEVNULL)
            golden = json.loads(gzip.decompress((path / "golden.gz").read_bytes()))
            assert golden["chromadb"] == version
            for name, content in golden["files"].items():
                (path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
                (path / "data" / name).write_bytes(base64.b64decode(content))
            made[version] = path / "data", golden["expected"]
        return made[version]

    return directory


@pytest.mark.parametrize("version", [*OLD, chroma.chromadb.__version__])
def test_from_a_directory_of(version, make, tmp_path):
    path, expected = make(version)
    report = cli(tmp_path / "store", "migrate", "chroma-dir", str(path))
    reports = {one["collection"]: one for one in report["collections"]}
    assert reports.keys() == expected.keys()
    assert all(one["result"] == "equal" for one in reports.values())
    server = Server(tmp_path / "store")
    try:
        actual = chroma.contents(chroma.http(server.port))
    finally:
        assert server.stop() == 0
    for name, one in expected.items():
        records = {record["id"]: record for record in one["records"]}
        found = actual[name]
        assert (found["space"], found["metadata"]) == (one["space"], one["metadata"])
        assert sorted(found["ids"]) == sorted(records)
        for i, id in enumerate(found["ids"]):
            record = records[id]
            assert found["documents"][i] == record["document"]
            assert found["metadatas"][i] == chroma.exact(record["metadata"])
            assert found["uris"][i] == record["uri"]
            assert np.allclose(found["embeddings"][i], record["vector"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("version", ["0.4.14", chroma.chromadb.__version__])
def test_a_fault_of_one_collection_stops_no_other(version, make, tmp_path):
    source, expected = make(version)
    path = tmp_path / "chroma"
    subprocess.run(["cp", "-r", source, path], check=True)
    with sqlite3.connect(path / "chroma.sqlite3") as database:
        database.execute(
            "INSERT INTO collection_metadata (collection_id, key, float_value)"
            " SELECT id, 'threshold', 9e999 FROM collections WHERE name = 'golden-l2'"
        )
        database.execute("UPDATE max_seq_id SET seq_id = 1229822654365841720")
    run = lambda *more: subprocess.run(
        [NODE, MAIN, "migrate", "chroma-dir", str(path), "--data", str(tmp_path / "store"), "--json", *more],
        capture_output=True,
        text=True,
        timeout=60,
    )
    alone = run("golden-ip", "--into", "alone")
    assert alone.returncode == 0, alone.stderr
    every = run()
    reports = {one["collection"]: one for one in json.loads(every.stdout)["collections"]}
    assert every.returncode == 1
    assert {name: one["result"] for name, one in reports.items()} == {
        name: "failed" if name == "golden-l2" else "equal" for name in expected
    }
    assert "threshold" in reports["golden-l2"]["error"]["message"]
    skipped = run("golden-l2", "--skip")
    [report] = json.loads(skipped.stdout)["collections"]
    assert skipped.returncode == 1
    assert (report["result"], report["equal"], report["copied"]) == ("equal-but-skipped", False, 33)
