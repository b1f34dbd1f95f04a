"""The server is killed while clients write, and restarts on the same port: acknowledged writes are present."""
import random
import threading
import time

import pytest
from conftest import client_of
from siltstone import cli, compact, Server

ROUNDS = 4
WRITERS = 3


@pytest.mark.parametrize("seed", [11])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path, seed):
    chance = random.Random(seed)
    data = tmp_path / "data"
    server = Server(data)
    port = server.port
    client_of(server).create_collection("things", embedding_function=None)
    acknowledged = {}
    attempted = {}
    for round in range(ROUNDS):
        collection = client_of(server).get_collection("things", embedding_function=None)
        stop = threading.Event()

        def write(writer):
            n = 0
            while not stop.is_set():
                ids = [f"{round}-{writer}-{n}-{i}" for i in range(20)]
                n += 1
                for i, one in enumerate(ids):
                    attempted[one] = [float(n), float(i)]
                try:
                    collection.add(
                        ids=ids,
                        embeddings=[attempted[one] for one in ids],
                        documents=[f"text of {one}" for one in ids],
                        metadatas=[{"n": n, "i": i} for i in range(20)],
                    )
                    acknowledged.update({one: attempted[one] for one in ids})
                    if n % 5 == 0:
                        collection.update(ids=ids[:1], metadatas=[{"n": -n}])
                except Exception:
                    return

        threads = [threading.Thread(target=write, args=(i,)) for i in range(WRITERS)]
        for thread in threads:
            thread.start()
        time.sleep(0.5 + chance.random() * 1.5)
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        server = Server(data, port=port)
        collection = client_of(server).get_collection("things", embedding_function=None)
        got = collection.get(include=["embeddings", "documents"])
        assert len(set(got["ids"])) == len(got["ids"]) == collection.count()
        found = dict(zip(got["ids"], got["embeddings"].tolist()))
        assert [one for one in acknowledged if one not in found] == []
        assert {one: found[one] for one in acknowledged} == acknowledged
        # A batch with unknown outcome is present completely or not at all.
        assert set(found) <= set(attempted)
        batches = {one.rsplit("-", 1)[0] for one in found}
        assert len(found) == 20 * len(batches)
        assert all(document == f"text of {one}" for one, document in zip(got["ids"], got["documents"]))
    assert len(acknowledged) > 100
    compact(data)
    assert collection.count() == len(found)
    assert server.stop() == 0
    assert all(report["problems"] == [] for report in cli(data, "verify"))
