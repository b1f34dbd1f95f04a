"""Migrates a large Chroma directory and prints the time per record: `large.py passages.arrow DIRECTORY [RECORDS]`.

`passages.arrow` has the columns id, document, metadata (JSON) and either vector, or vector_i8 and scale. A Chroma directory
that is there already is used again. From the repository: PYTHONPATH=test/python test/python/.venv/bin/python test/migrate/large.py …
"""
import json
import pathlib
import shutil
import subprocess
import sys
import time

import chroma
import numpy as np
import pyarrow as pa
import pyarrow.ipc
from siltstone import MAIN, NODE

BATCH = 2_000


def vectors_of(table):
    if "vector" in table.column_names:
        column, scale = table["vector"], 1
    else:
        column, scale = table["vector_i8"], table["scale"].to_numpy()[:, None]
    raw = column.combine_chunks().flatten().to_numpy().reshape(len(table), -1).astype("f4") * scale
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype("f4")


def make(path, source, count):
    table = pa.ipc.open_file(source).read_all().slice(0, count)
    vectors = vectors_of(table)
    configuration = {"hnsw": {"space": "cosine"}}
    collection = chroma.persistent(path).create_collection("passages", configuration=configuration, embedding_function=None)
    for start in range(0, len(table), BATCH):
        rows = table.slice(start, BATCH)
        collection.add(
            ids=rows["id"].to_pylist(),
            embeddings=vectors[start : start + BATCH],
            documents=rows["document"].to_pylist(),
            metadatas=[json.loads(text) for text in rows["metadata"].to_pylist()],
        )


def main(source, directory, count="100000"):
    directory = pathlib.Path(directory)
    path, data = directory / "chroma", directory / "store"
    if not path.exists():
        started = time.monotonic()
        make(path, source, int(count))
        print(f"Chroma took {time.monotonic() - started:.0f} s to take the records in")
    shutil.rmtree(data, ignore_errors=True)
    started = time.monotonic()
    command = [NODE, MAIN, "migrate", "chroma-dir", str(path), "--data", str(data), "--json"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - started
    [report] = json.loads(ran.stdout)["collections"]
    each = report["elapsedMs"] / report["copied"]
    print(
        f"{report['copied']:,} of {report['sourceRecords']:,} records copied, {report['targetRecords']:,} there; "
        f"{report['comparison']['compared']:,} read again from both sides, equal: {report['equal']}"
    )
    print(f"{report['elapsedMs'] / 1000:.1f} s, compaction included: {each:.2f} ms a record; {seconds:.1f} s with the verification")
    sys.exit(ran.returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
