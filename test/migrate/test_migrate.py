import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import chroma
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from siltstone import MAIN, NODE, Server, cli


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A Chroma directory that no process has open, and its content according to Chroma."""
    path = tmp_path_factory.mktemp("chroma") / "data"
    # A separate process, because Chroma keeps directories open as long as the process lives.
    code = f"import chroma; chroma.build({str(path)!r})"
    subprocess.run([*python(), code], check=True, timeout=120)
    copy = path.with_name("copy")
    shutil.copytree(path, copy)
    with chroma.server(copy) as port:
        expected = chroma.contents(chroma.http(port))
    return path, expected


def python():
    return [sys.executable, "-c"]


@contextlib.contextmanager
def served(data):
    server = Server(data)
    try:
        yield chroma.http(server.port)
    finally:
        assert server.stop() == 0
        assert server.errors() == []


def totals(report):
    return {one["collection"]: one for one in report["collections"]}


def test_the_data_are_of_every_kind(built):
    path, expected = built
    assert sum(one["count"] for one in expected.values()) > 4_000
    assert {one["space"] for one in expected.values()} == {"cosine", "l2", "ip"}
    directories = [one for one in path.iterdir() if one.is_dir()]
    assert len(directories) > 2
    kinds = {kind for one in expected.values() for metadata in one["metadatas"] if metadata for kind in map(str, metadata.values())}
    assert len(kinds) > 1_000
    assert any(uri for one in expected.values() for uri in one["uris"])


def test_from_a_directory(built, tmp_path):
    path, expected = built
    before = {one: one.stat().st_mtime_ns for one in path.rglob("*")}
    report = cli(tmp_path / "store", "migrate", "chroma-dir", str(path))
    for name, one in totals(report).items():
        count = expected[name]["count"]
        assert (one["equal"], one["copied"], one["sourceRecords"], one["targetRecords"]) == (True, count, count, count)
        assert one["comparison"]["compared"] == min(count, 1_000)
    with served(tmp_path / "store") as client:
        chroma.assert_same(chroma.contents(client), expected)
    # Nothing was written to the directory.
    assert {one: one.stat().st_mtime_ns for one in path.rglob("*")} == before


def test_from_a_server(built, tmp_path):
    path, expected = built
    copy = tmp_path / "chroma"
    shutil.copytree(path, copy)
    with chroma.server(copy) as port:
        report = cli(tmp_path / "store", "migrate", "chroma-server", f"http://127.0.0.1:{port}")
        assert all(one["equal"] for one in report["collections"])
        compared = cli(tmp_path / "store", "migrate", "chroma-server", f"http://127.0.0.1:{port}", "--compare")
        assert {name: one["comparison"]["compared"] for name, one in totals(compared).items()} == {
            name: one["count"] for name, one in expected.items()
        }
    with served(tmp_path / "store") as client:
        chroma.assert_same(chroma.contents(client), expected)
    # The server returned what the files hold.
    compared = cli(tmp_path / "store", "migrate", "chroma-dir", str(path), "--compare")
    assert all(one["equal"] for one in compared["collections"])


def test_queries_find_the_same(built, tmp_path):
    path, expected = built
    cli(tmp_path / "store", "migrate", "chroma-dir", str(path), "cosine.part", "l2_whole")
    copy = tmp_path / "chroma"
    shutil.copytree(path, copy)
    with chroma.server(copy) as port, served(tmp_path / "store") as ours:
        theirs = chroma.http(port)
        for name in ["cosine.part", "l2_whole"]:
            queries = expected[name]["embeddings"][100:130] + 0.01
            where = {"$and": [{"even": True}, {"int": {"$gte": 90}}]}
            for more in [{}, {"where": where}]:
                ask = lambda client: client.get_collection(name, embedding_function=None).query(
                    query_embeddings=queries, n_results=1, include=["distances"], **more
                )
                found, wanted = ask(ours), ask(theirs)
                assert found["ids"] == wanted["ids"]
                assert np.allclose(found["distances"], wanted["distances"], rtol=1e-4, atol=1e-6)


def test_kill_9_in_the_middle(tmp_path):
    """Stopped repeatedly: no record twice, none missing, counts exact."""
    path, data = tmp_path / "chroma", tmp_path / "store"
    code = f"import chroma; c = chroma.persistent({str(path)!r}).create_collection('many', embedding_function=None); chroma.fill(c, 6_000, 384, 9)"
    subprocess.run([*python(), code], check=True, timeout=120)
    command = [NODE, MAIN, "migrate", "chroma-dir", str(path), "--data", str(data), "--json"]
    killed, seen = 0, set()
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            records = state_of(data).get("records", 0)
            if records > max(seen, default=0) and records < 6_000:
                process.send_signal(signal.SIGKILL)
                seen.add(records)
                killed += process.wait() == -signal.SIGKILL
                break
            time.sleep(0.002)
    assert killed >= 2, "it was too quick to be killed"
    assert 0 < state_of(data)["records"] < 6_000
    [report] = cli(data, "migrate", "chroma-dir", str(path))["collections"]
    assert report["resumed"] and report["equal"]
    assert (report["copied"], report["targetRecords"], report["alreadyThere"]) == (6_000, 6_000, 0)
    assert state_of(data) == {}
    [compared] = cli(data, "migrate", "chroma-dir", str(path), "--compare")["collections"]
    assert compared["equal"] and compared["comparison"]["compared"] == 6_000


def test_a_chroma_that_was_killed(tmp_path):
    """What it left (an unfinished transaction, segments that lag) is read as Chroma itself reads it."""
    path, copy, data = tmp_path / "chroma", tmp_path / "copy", tmp_path / "store"
    code = f"import chroma; chroma.write_for_ever({str(path)!r}, {time.time_ns()})"
    writer = subprocess.Popen([*python(), code], stdout=subprocess.PIPE)
    for _ in range(25):
        assert writer.stdout.readline() != b""
    writer.kill()
    writer.wait()
    shutil.copytree(path, copy)
    before = {one: one.stat().st_mtime_ns for one in path.rglob("*")}
    [report] = cli(data, "migrate", "chroma-dir", str(path))["collections"]
    assert report["equal"] and report["copied"] > 0
    assert {one: one.stat().st_mtime_ns for one in path.rglob("*")} == before
    with chroma.server(copy) as port, served(data) as ours:
        chroma.assert_same(chroma.contents(ours), chroma.contents(chroma.http(port)))


def state_of(data):
    for file in pathlib.Path(data).glob(".siltstone/migrations/*.json"):
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(file.read_text())
    return {}


def test_a_server_that_is_written_during_the_migration(built, tmp_path):
    path, _ = built
    copy, data = tmp_path / "chroma", tmp_path / "store"
    shutil.copytree(path, copy)
    with chroma.server(copy) as port:
        collection = chroma.http(port).get_collection("cosine.part", embedding_function=None)
        stop = threading.Event()

        def write():
            ids = collection.get(limit=300, include=[])["ids"]
            for i, id in enumerate(ids):
                if stop.is_set():
                    return
                collection.delete(ids=[id])
                collection.add(ids=[f"later{i}"], embeddings=[[i + 1.0] * 24], metadatas=[{"i": i}])

        writer = threading.Thread(target=write)
        writer.start()
        url = f"http://127.0.0.1:{port}"
        subprocess.run([NODE, MAIN, "migrate", "chroma-server", url, "cosine.part", "--data", str(data)], timeout=120)
        stop.set()
        writer.join()
        cli(data, "migrate", "chroma-server", url, "cosine.part", "--sync")
        [compared] = cli(data, "migrate", "chroma-server", url, "cosine.part", "--compare")["collections"]
        assert compared["equal"]
        with served(data) as client:
            ours, theirs = chroma.contents(client)["cosine.part"], chroma.contents(chroma.http(port))["cosine.part"]
        by_id = lambda one: dict(zip(one["ids"], zip(one["documents"], one["metadatas"], one["uris"])))
        assert by_id(ours) == by_id(theirs)


def test_compare_finds_what_was_changed_and_sync_repairs_it(built, tmp_path):
    path, expected = built
    data = tmp_path / "store"
    cli(data, "migrate", "chroma-dir", str(path), "l2_whole")
    with served(data) as client:
        collection = client.get_collection("l2_whole", embedding_function=None)
        collection.delete(ids=["l2_whole/100", "l2_whole/101"])
        collection.update(ids=["l2_whole/102"], embeddings=[[9.0] * 17])
        collection.update(ids=["l2_whole/103"], metadatas=[{"int": 103.0}])
        collection.add(ids=["extra"], embeddings=[[1.0] * 17])
    [found] = cli(data, "migrate", "chroma-dir", str(path), "l2_whole", "--compare", code=1)["collections"]
    assert {key: found["comparison"][key] for key in ["missing", "extra", "different"]} == {
        "missing": 2,
        "extra": 1,
        "different": 2,
    }
    assert {"id": "l2_whole/103", "what": ["metadata"]} in found["comparison"]["examples"]
    cli(data, "migrate", "chroma-dir", str(path), "l2_whole", "--sync")
    [compared] = cli(data, "migrate", "chroma-dir", str(path), "l2_whole", "--compare")["collections"]
    assert compared["equal"] and compared["targetRecords"] == expected["l2_whole"]["count"]


@pytest.mark.parametrize("format", ["jsonl", "arrow"])
def test_out_again(built, tmp_path, format):
    path, expected = built
    data = tmp_path / "store"
    cli(data, "migrate", "chroma-dir", str(path), "cosine.part")
    out = tmp_path / "out"
    report = cli(data, "export", "cosine.part", "--out", str(out), "--format", format)
    wanted = expected["cosine.part"]
    assert report["records"] == wanted["count"]
    ids, vectors = [], []
    for part in report["parts"]:
        if format == "arrow":
            table = pa.ipc.open_file(out / part["file"]).read_all()
            ids += table["id"].to_pylist()
            vectors += table["vector"].to_pylist()
        else:
            lines = [json.loads(line) for line in (out / part["file"]).read_text().splitlines()]
            ids += [line["id"] for line in lines]
            vectors += [line["vector"] for line in lines]
    assert ids == wanted["ids"]
    assert np.allclose(np.asarray(vectors, "f4"), wanted["embeddings"], rtol=1e-6, atol=1e-6)
    [back] = cli(tmp_path / "other", "migrate", "export", str(out))["collections"]
    assert back["equal"] and back["copied"] == wanted["count"]
    with served(tmp_path / "other") as client:
        chroma.assert_same(chroma.contents(client), {"cosine.part": wanted})


def test_pinecones_files_as_pyarrow_writes_them(tmp_path):
    count, dimension = 20_000, 32
    vectors = np.random.default_rng(11).normal(size=(count, dimension)).astype("f4")
    metadata = [json.dumps({"i": i, "tags": ["a", "b"], "text": f"text {i}"}) for i in range(count)]
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimension).cast(pa.list_(pa.float32()))
    (tmp_path / "movies" / "__default__").mkdir(parents=True)
    # One row group with all rows, as pyarrow writes them.
    table = pa.table({"id": [f"v{i}" for i in range(count)], "values": lists, "metadata": metadata})
    pa.parquet.write_table(table, tmp_path / "movies" / "__default__" / "0.parquet")
    data = tmp_path / "store"
    [report] = cli(data, "migrate", "pinecone-files", str(tmp_path / "movies"), "--document-key", "text", "--sample", "200")["collections"]
    assert report["equal"] and report["copied"] == count
    with served(data) as client:
        got = client.get_collection("movies", embedding_function=None).get(include=["embeddings", "documents", "metadatas"])
    assert got["ids"] == table["id"].to_pylist()
    assert (np.asarray(got["embeddings"], "f4") == vectors).all()
    assert got["documents"][7] == "text 7" and got["metadatas"][7] == {"i": 7, "tags": ["a", "b"]}


def test_the_counters_make_a_bill(built, tmp_path):
    path, _ = built
    data = tmp_path / "store"
    cli(data, "migrate", "chroma-dir", str(path), "products")
    server = Server(data)
    try:
        collection = chroma.http(server.port).get_collection("products", embedding_function=None)
        for _ in range(30):
            collection.query(query_embeddings=[[1.0] * 8], n_results=3)
        collection.add(ids=["one more"], embeddings=[[1.0] * 8])
        # Counts are updated once a second, with the next request.
        time.sleep(1.2)
        collection.query(query_embeddings=[[1.0] * 8], n_results=3)
        command = [NODE, MAIN, "cost", "--metrics", f"{server.url}/metrics", "--json"]
        report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    finally:
        assert server.stop() == 0
    counted = report["counted"]
    assert counted["queries"] == 31 and counted["entries"] == 1
    assert counted["putRequests"] >= 31 and counted["getRequests"] >= 31
    assert report["bill"]["services"]["S3"] > 0 and report["unitCosts"]["usdPer1000Queries"] > 0
