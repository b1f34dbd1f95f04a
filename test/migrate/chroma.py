"""Creates Chroma data of every kind, runs Chroma's server, and reads whole collections through any of its clients."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import chromadb
import numpy as np
from chromadb.config import Settings

SETTINGS = dict(anonymized_telemetry=False)


def persistent(path):
    return chromadb.PersistentClient(str(path), settings=Settings(**SETTINGS))


def http(port):
    return chromadb.HttpClient(host="127.0.0.1", port=port, settings=Settings(**SETTINGS))


def metadata_of(i):
    if i % 5 == 0:
        return None
    some = {"text": f"Größe {i} ☃", "int": i, "whole": float(i), "float": i / 8, "even": i % 2 == 0}
    if i % 3 == 0:
        some |= {"big": 2**53 + i, "negative": -i, "empty": "", "long": "x" * (i % 400)}
    if i % 4 == 0:
        some |= {"texts": ["a", f"b{i}"], "ints": [1, i], "floats": [1.0, i / 2], "bools": [True, i % 8 == 0]}
    return some


def fill(collection, count, dimension, seed):
    rng = np.random.default_rng(seed)
    for start in range(0, count, 500):
        rows = range(start, min(start + 500, count))
        collection.add(
            ids=[f"{collection.name}/{i}" for i in rows],
            embeddings=rng.normal(size=(len(rows), dimension)).astype("f4"),
            documents=[None if i % 7 == 0 else f"Document {i} of {collection.name}: naïve façade" for i in rows],
            metadatas=[metadata_of(i) for i in rows],
            uris=[f"file:///{i}" if i % 9 == 0 else None for i in rows] if count % 2 else None,
        )


def change(collection, dimension, seed):
    """Deletes, updates, upserts, and an id that is deleted and added again."""
    rng = np.random.default_rng(seed)
    name = collection.name
    vector = lambda n: rng.normal(size=(n, dimension)).astype("f4")
    collection.delete(ids=[f"{name}/{i}" for i in range(40, 80)])
    # Metadata are merged key by key.
    collection.upsert(
        ids=[f"{name}/{i}" for i in range(10, 30)] + [f"{name}/new{i}" for i in range(5)],
        embeddings=vector(25),
        metadatas=[{"int": i + 0.5, "added": True} for i in range(25)],
        documents=[f"changed {i}" for i in range(25)],
    )
    collection.update(ids=[f"{name}/{i}" for i in range(31, 34)], metadatas=[{"text": None, "int": 1}] * 3)
    collection.update(ids=[f"{name}/34"], embeddings=vector(1))
    collection.add(ids=[f"{name}/{i}" for i in range(50, 60)], embeddings=vector(10))


def build(path):
    """A few thousand records: synchronised to HNSW files in part, completely, and not at all."""
    client = persistent(path)
    make = lambda name, **more: client.create_collection(name, embedding_function=None, **more)
    hnsw = lambda space, threshold: {"hnsw": {"space": space, "sync_threshold": threshold, "batch_size": 50}}
    cosine = make("cosine.part", configuration=hnsw("cosine", 600), metadata={"title": "Sätze", "n": 3, "f": 2.0, "b": True})
    fill(cosine, 2_001, 24, 1)
    change(cosine, 24, 2)
    l2 = make("l2_whole", configuration=hnsw("l2", 100))
    fill(l2, 1_000, 17, 3)
    change(l2, 17, 4)
    ip = make("products", configuration={"hnsw": {"space": "ip"}}, metadata={"kind": "ip"})
    fill(ip, 1_203, 8, 5)
    unsynced = make("unsynced")
    fill(unsynced, 201, 5, 6)
    change(unsynced, 5, 7)
    # A client that configures nothing writes its default embedding function into the collection.
    default = client.create_collection("with-default-function")
    default.add(ids=["a", "b"], embeddings=[[1.0] * 384, [0.5] * 384], documents=["x", "y"])
    make("nothing-in-it")


def write_for_ever(path, seed):
    """Upserts and deletes until it is killed; a line on stdout for each."""
    rng = np.random.default_rng(seed)
    configuration = {"hnsw": {"space": "cosine", "sync_threshold": 200, "batch_size": 50}}
    collection = persistent(path).create_collection("killed", configuration=configuration, embedding_function=None)
    for i in range(10**9):
        collection.upsert(
            ids=[f"id{(i * 37 + j) % 900}" for j in range(37)],
            embeddings=rng.normal(size=(37, 16)).astype("f4"),
            metadatas=[{"i": i, f"key{i % 3}": j / 2} for j in range(37)],
            documents=[f"write {i} of {j}" for j in range(37)],
        )
        if i % 3 == 0:
            collection.delete(ids=[f"id{(i * 11) % 900}"])
        print(i, flush=True)


def contents(client):
    """All that a client can read, in order."""
    found = {}
    for collection in sorted(client.list_collections(), key=lambda one: one.name):
        collection = client.get_collection(collection.name, embedding_function=None)
        got = collection.get(include=["embeddings", "documents", "metadatas", "uris"])
        found[collection.name] = {
            "metadata": collection.metadata,
            "space": collection.configuration_json["hnsw"]["space"],
            "function": collection.configuration_json.get("embedding_function"),
            "count": collection.count(),
            "ids": got["ids"],
            "embeddings": np.asarray(got["embeddings"], dtype="f4"),
            "documents": got["documents"],
            "metadatas": [exact(one) for one in got["metadatas"]],
            "uris": got["uris"],
        }
    return found


def exact(metadata):
    """Includes the types, which Python's equality ignores: 1 == 1.0 == True."""
    # Chroma answers {} instead of None for a record that has no metadata but a uri.
    if not metadata:
        return None
    typed = lambda value: [typed(one) for one in value] if isinstance(value, list) else (type(value).__name__, value)
    return {key: typed(value) for key, value in metadata.items()}


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        actual = ours[name]
        for field in ["metadata", "space", "count", "ids", "documents", "metadatas", "uris"]:
            assert actual[field] == expected[field], f"{name}: {field}"
        # For the space cosine Chroma stores normalised vectors, and multiplies them again when it answers.
        scale = np.abs(expected["embeddings"]).max(axis=1, keepdims=True) if expected["count"] else 0
        tolerance = 1e-6 * scale if expected["space"] == "cosine" else 0
        assert (np.abs(actual["embeddings"] - expected["embeddings"]) <= tolerance).all(), f"{name}: embeddings"


@contextlib.contextmanager
def server(path):
    """Runs Chroma's own server, and yields its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(pathlib.Path(sys.executable).with_name("chroma"))
    log = open(os.devnull, "w")
    process = subprocess.Popen(
        [program, "run", "--path", str(path), "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log
    )
    try:
        for _ in range(300):
            assert process.poll() is None, "chroma ended at once"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        log.close()
