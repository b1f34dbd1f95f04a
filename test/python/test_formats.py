"""A snapshot read with numpy, from docs/reference/format.md alone."""
import json

import numpy as np
from siltstone import compact
from store import Segment, path_of, read_manifest

ROWS, DIMENSION = 3_000, 37


def test_a_segment_is_read_from_its_description(server, client, things):
    random = np.random.default_rng(3)
    vectors = random.standard_normal((ROWS, DIMENSION)).astype(np.float32)
    ids = [f"id-{i}-é" for i in range(ROWS)]
    documents = [None if i % 7 == 0 else f"document {i} " + "€x" * (i % 200) for i in range(ROWS)]
    metadatas = [None if i % 5 == 0 else {"i": i, "share": i / 4, "even": i % 2 == 0} for i in range(ROWS)]
    uris = [f"u:{i}" if i % 11 == 0 else None for i in range(ROWS)]
    things.add(ids=ids, embeddings=vectors, documents=documents, metadatas=metadatas, uris=uris)
    compact(server.data, "things", "--database", client.database)

    manifest = read_manifest(server.data, path_of(things))
    assert (manifest["state"], manifest["liveRecords"], manifest["dimension"]) == ("live", ROWS, DIMENSION)
    assert manifest["requiredFeatures"] == []
    seen = 0
    for entry in manifest["segments"]:
        assert (entry["deletions"], entry["overlays"]) == (None, [])
        segment = Segment(server.data, entry["segment"])
        rows = segment.ordinals_and_versions()
        order = [int(ordinal) for ordinal, _ in rows]
        if entry["segment"]["order"] == "ordinal":
            assert order == sorted(order)
        assert (min(order), max(order)) == (entry["segment"]["minOrdinal"], entry["segment"]["maxOrdinal"])
        assert segment.texts("ids") == [ids[i] for i in order]
        assert np.array_equal(segment.vectors(), vectors[order])
        assert segment.texts("documents") == [documents[i] for i in order]
        assert segment.texts("uris") == [uris[i] for i in order]
        read = [text and json.loads(text) for text in segment.texts("metadata")]
        assert read == [metadatas[i] for i in order]
        assert segment.rows_of_ids([ids[i] for i in order]) == list(range(segment.rows))
        assert segment.rows_of_ids(["missing", ""]) == [None, None]
        assert all(segment.may_hold(ids[i]) for i in order)
        assert sum(segment.may_hold(f"absent-{i}") for i in range(2_000)) < 100
        seen += segment.rows
    assert seen == ROWS


def test_the_example_of_the_document_runs(server, client, things, tmp_path):
    """Runs the Python of docs/reference/format.md unchanged: it writes a delta, and reads a segment's vectors."""
    import re

    from siltstone import ROOT
    from store import drop

    examples = re.findall(r"```python\n(.*?)```", (ROOT / "docs/reference/format.md").read_text(), re.S)
    delta, reader = examples
    scope = {}
    exec(delta, scope)
    drop(server.data, path_of(things), scope["delta"])
    assert things.get(include=["embeddings"])["ids"] == ["a"]
    compact(server.data, "things", "--database", client.database)
    exec(reader, scope)
    (entry,) = read_manifest(server.data, path_of(things))["segments"]
    folder = (server.data / entry["segment"]["files"][0]["key"]).parent
    (tmp_path / "segment").mkdir()
    for file in folder.iterdir():
        (tmp_path / "segment" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "segment/descriptor.json").write_text(json.dumps(entry["segment"]))
    assert np.allclose(scope["read_vectors"](tmp_path / "segment"), [[0.1, 0.2, 0.3]])
