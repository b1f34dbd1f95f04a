"""Writes how a real `chroma run` answers the creation of collections with legacy metadata `hnsw:…`: see run.sh."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import chromadb

PORT = 18123
DATABASE = f"http://127.0.0.1:{PORT}/api/v2/tenants/default_tenant/databases/default_database"
NUMBERS = [0, 1, 2, 3, 100, 100000, -1, 1.0, 2.5, "100", True]
VALUES = {
    "hnsw:space": ["l2", "cosine", "ip", "foobar", "L2", "", 1, True],
    "hnsw:resize_factor": [0, 1, 1.2, 2, -1, 0.5, "1.2", True],
    **{f"hnsw:{name}": NUMBERS for name in ["construction_ef", "search_ef", "M", "num_threads", "batch_size", "sync_threshold"]},
    **{name: [1] for name in ["hnsw:foo", "hnsw:", "hnsw:Space", "hnsw:ef", "hnsw", "HNSW:space", "hnsw_space"]},
}
METADATA = [{key: value} for key, values in VALUES.items() for value in values]
METADATA += [{"hnsw:batch_size": 200, "hnsw:sync_threshold": 100}, {"hnsw:space": "cosine", "hnsw:foo": 1}]


def create(name, metadata):
    body = json.dumps({"name": name, "metadata": metadata}).encode()
    request = urllib.request.Request(f"{DATABASE}/collections", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)["configuration_json"]["hnsw"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait():
    for _ in range(300):
        try:
            return urllib.request.urlopen(DATABASE)
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("chroma does not answer")


with tempfile.TemporaryDirectory() as directory:
    program = Path(sys.executable).with_name("chroma")
    server = subprocess.Popen([program, "run", "--path", directory, "--port", str(PORT)], stdout=subprocess.DEVNULL)
    try:
        wait()
        # The metadata is kept as text, in which 1 and 1.0 differ.
        answers = [[json.dumps(one), *create(f"collection-{i}", one)] for i, one in enumerate(METADATA)]
    finally:
        server.terminate()
        server.wait()
lines = ",\n".join(json.dumps(one) for one in answers)
Path(sys.argv[1]).write_text(f'{{"chroma":"{chromadb.__version__}","answers":[\n{lines}\n]}}\n')
