"""Deltas of another Arrow implementation, written into the inbox as plain files."""
import json

import pyarrow as pa
import pytest
from conftest import client_of
from siltstone import cli, compact
from store import UNSEALED, arrow_bytes, drop, path_of, sealed, ulid

VECTOR = pa.list_(pa.float32(), 3)


def table(string=pa.string(), **columns):
    made = {
        "id": pa.array(["a", "é€😀", "gone"], string),
        "op": pa.array(["upsert", "add", "delete"], string),
        "vector": pa.array([[1, 2, 3], [4, 5, 6], None], VECTOR),
        "document": pa.array(["one", None, None], string),
        "metadata": pa.array(['{"n":1,"f":1.0,"big":9223372036854775807}', None, None], string),
        "uri": pa.array([None, "u:e", None], string),
    }
    made.update(columns)
    return pa.table({name: column for name, column in made.items() if column is not None})


def check(collection):
    got = collection.get(include=["embeddings", "documents", "metadatas", "uris"])
    assert got["ids"] == ["a", "é€😀"]
    assert got["embeddings"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert got["documents"] == ["one", None]
    assert got["metadatas"] == [{"n": 1, "f": 1.0, "big": 2**63 - 1}, None]
    assert [type(got["metadatas"][0][key]) for key in ("n", "f")] == [int, float]
    assert got["uris"] == [None, "u:e"]
    assert collection.query(query_embeddings=[[4, 5, 5]], n_results=1)["ids"] == [["é€😀"]]


METADATA = {"siltstone.format": "delta", "siltstone.version": "1", "siltstone.dimension": "3", "siltstone.records": "3"}


def accepted(path):
    both = pa.table({**{n: c for n, c in zip(table().column_names, table().columns)}, "extra": [{"x": 1}, None, {"x": 2}]})
    dictionary = table(op=pa.array(["upsert", "add", "delete"]).dictionary_encode())
    full = {**METADATA, "siltstone.collection": path, "siltstone.crc32": UNSEALED}
    batches = pa.concat_tables([table().slice(i, 1) for i in range(3)])
    return {
        "plain": arrow_bytes(table()),
        "large strings": arrow_bytes(table(pa.large_string())),
        "string views": arrow_bytes(table(pa.string_view())),
        "dictionary": arrow_bytes(dictionary),
        "lz4": arrow_bytes(table(), compression="lz4"),
        "zstd": arrow_bytes(dictionary, compression="zstd"),
        "batches": arrow_bytes(batches),
        "unknown column": arrow_bytes(both),
        "other order": arrow_bytes(table().select(["uri", "vector", "op", "metadata", "id", "document"])),
        "metadata of the file": arrow_bytes(table().replace_schema_metadata({**METADATA, "siltstone.collection": path})),
        "sealed": sealed(arrow_bytes(table().replace_schema_metadata(full))),
        "sealed and compressed": sealed(arrow_bytes(table().replace_schema_metadata(full), compression="zstd")),
    }


@pytest.mark.parametrize("name", list(accepted("")))
def test_accepted(server, client, things, name):
    key = drop(server.data, path_of(things), accepted(path_of(things))[name])
    check(things)
    compact(server.data, "things", "--database", client.database)
    check(things)
    assert things.get_indexing_status().num_unindexed_ops == 0
    (report,) = cli(server.data, "verify", "things", "--database", client.database)
    assert (report["problems"], report["figures"]["refusedDeltas"]) == ([], 0), key


def test_only_the_required_columns(server, client, things):
    data = arrow_bytes(pa.table({"id": ["a"], "op": ["add"], "vector": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))}))
    drop(server.data, path_of(things), data)
    assert things.get(include=["embeddings"])["embeddings"].tolist() == [[1, 2]]
    drop(server.data, path_of(things), arrow_bytes(pa.table({"id": ["a"], "op": ["delete"]})))
    assert things.count() == 0


def test_an_acknowledged_delta_stays_before_a_later_write(server, client, things):
    drop(server.data, path_of(things), arrow_bytes(table()))
    things.update(ids=["a"], metadatas=[{"n": 2}])
    assert things.get(ids=["a"])["metadatas"][0]["n"] == 2
    compact(server.data, "things", "--database", client.database)
    assert things.get(ids=["a"])["metadatas"][0]["n"] == 2


def test_many_deltas_are_applied_in_order_of_their_names(server, client, things):
    names = sorted(ulid() for _ in range(50))
    for i in reversed(range(50)):
        rows = pa.table(
            {
                "id": ["same", f"own-{i}"],
                "op": ["upsert", "upsert"],
                "vector": pa.array([[i, 0], [i, 1]], pa.list_(pa.float32(), 2)),
            }
        )
        drop(server.data, path_of(things), arrow_bytes(rows), names[i])
    assert things.count() == 51
    compact(server.data, "things", "--database", client.database)
    assert things.count() == 51
    # Some may have been folded while others were still being written, in their own order.
    assert set(things.get()["ids"]) == {"same", *(f"own-{i}" for i in range(50))}


def broken(path):
    whole = arrow_bytes(table())
    seal = {**METADATA, "siltstone.crc32": UNSEALED}
    good = sealed(arrow_bytes(table().replace_schema_metadata(seal)))
    ids = lambda values, kind=pa.string(): arrow_bytes(table(id=pa.array(values, kind)))
    said = lambda **more: arrow_bytes(
        table().replace_schema_metadata({**METADATA, **{f"siltstone.{key}": value for key, value in more.items()}})
    )
    metadata = lambda text: arrow_bytes(table(metadata=pa.array([text, None, None])))
    floats = lambda kind, values=([1, 2, 3], [4, 5, 6], None): arrow_bytes(table(vector=pa.array(values, kind)))
    return {
        "no bytes": b"",
        "text": b"this is no Arrow file",
        "magic only": b"ARROW1\0\0ARROW1",
        "first half": whole[: len(whole) // 2],
        "last byte missing": whole[:-1],
        "stream format": pa_stream(table()),
        "zeros": bytes(len(whole)),
        "float64 vectors": floats(pa.list_(pa.float64(), 3)),
        "float16 vectors": floats(pa.list_(pa.float16(), 3)),
        "lists of any length": floats(pa.list_(pa.float32())),
        "integer vectors": floats(pa.list_(pa.int32(), 3)),
        "empty vectors": floats(pa.list_(pa.float32(), 0), [[], [], None]),
        "null in a vector": floats(VECTOR, [[1, None, 3], [4, 5, 6], None]),
        "NaN": floats(VECTOR, [[1, float("nan"), 3], [4, 5, 6], None]),
        "infinity": floats(VECTOR, [[1, float("inf"), 3], [4, 5, 6], None]),
        "upsert without a vector": floats(VECTOR, [None, [4, 5, 6], None]),
        "another dimension": floats(pa.list_(pa.float32(), 4), [[1, 2, 3, 4], [4, 5, 6, 7], None]),
        "integer ids": ids([1, 2, 3], pa.int64()),
        "null id": ids(["a", None, "c"]),
        "empty id": ids(["a", "", "c"]),
        "binary ids": ids([b"a", b"\xff", b"c"], pa.binary()),
        "no ids": arrow_bytes(table().drop_columns(["id"])),
        "no ops": arrow_bytes(table().drop_columns(["op"])),
        "unknown op": arrow_bytes(table(op=pa.array(["upsert", "merge", "delete"]))),
        "null op": arrow_bytes(table(op=pa.array(["upsert", None, "delete"]))),
        "metadata that is no JSON": metadata("{n:1}"),
        "metadata that is no object": metadata("[1]"),
        "metadata with an object in it": metadata('{"n":{"m":1}}'),
        "metadata key with a sign": metadata('{"$n":1}'),
        "metadata as a struct": arrow_bytes(table(metadata=pa.array([{"n": 1}, None, None]))),
        "wrong count": said(records="4"),
        "wrong dimension": said(dimension="4"),
        "wrong format": said(format="entry"),
        "other collection": said(collection=path[:-1] + ("0" if path[-1] != "0" else "1")),
        "wrong checksum": said(crc32="crc32:01234567"),
        "damage under a checksum": good.replace("one".encode(), "two".encode(), 1),
        "id twice": arrow_bytes(pa.Table.from_arrays([*table().columns, table()["id"]], [*table().column_names, "id"])),
    }


def pa_stream(data):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, data.schema) as writer:
        writer.write_table(data)
    return sink.getvalue().to_pybytes()


def test_what_breaks_the_rules_is_refused_with_a_reason_and_blocks_nothing(server, client, things):
    """All in one collection: each is refused and listed with its reason; deltas beside and after it are applied."""
    things.add(ids=["first"], embeddings=[[0, 0, 1]])
    path = path_of(things)
    keys = {}
    for i, (name, data) in enumerate(broken(path).items()):
        keys[drop(server.data, path, data)] = name
        drop(server.data, path, arrow_bytes(table(id=pa.array([f"ok-{i}", f"fine-{i}", "gone"]))))
        assert things.count() == 1 + 2 * (i + 1), name
    things.add(ids=["last"], embeddings=[[0, 0, 2]])
    total = things.count()
    assert total == 2 + 2 * len(keys)
    compact(server.data, "things", "--database", client.database)
    assert things.count() == total
    refused = cli(server.data, "snapshots", "show", "things", "--database", client.database)["manifest"]["refused"]
    assert {one["key"] for one in refused} == set(keys)
    for one in refused:
        assert len(one["reason"]) > 10, keys[one["key"]]
        # An internal error of the program is not a reason to show a producer.
        assert "undefined" not in one["reason"] and "Cannot read" not in one["reason"], one
    (report,) = cli(server.data, "verify", "things", "--database", client.database)
    assert report["problems"] == []
    assert server.errors() == []


def test_a_bomb_is_refused_before_it_goes_off(server, client, things):
    """Buffers that claim to have many gigabytes when unpacked."""
    import struct

    path = path_of(things)
    for compression in ("zstd", "lz4"):
        rows = 20_000
        data = arrow_bytes(
            pa.table(
                {
                    "id": [f"id-{i}" for i in range(rows)],
                    "op": ["upsert"] * rows,
                    "vector": pa.array([[0.0] * 8] * rows, pa.list_(pa.float32(), 8)),
                }
            ),
            compression=compression,
        )
        # A compressed buffer begins with its length when unpacked, an int64.
        length = struct.pack("<q", rows * 8 * 4)
        assert data.count(length) == 1
        for claimed in (2**40, 2**62, -5, 0, rows * 8 * 4 + 4, rows * 8 * 4 - 4):
            drop(server.data, path, data.replace(length, struct.pack("<q", claimed)))
            assert things.count() == 0
    # A real one: half a gigabyte of one letter in some kilobytes.
    text = pa.array(["x" * 500_000_000, None, None])
    bomb = arrow_bytes(table(document=text), compression="zstd")
    assert len(bomb) < 1_000_000
    drop(server.data, path, bomb)
    assert things.count() == 0
    things.add(ids=["after"], embeddings=[[1, 2, 3]])
    assert "after" in things.get(include=[])["ids"]
    assert server.errors() == []


def test_an_unknown_version_stops_the_collection_and_nothing_else(server, admin):
    client = client_of(server)
    stopped = client.create_collection("of-tomorrow", embedding_function=None)
    other = client.create_collection("of-today", embedding_function=None)
    stopped.add(ids=["a"], embeddings=[[1, 2, 3]])
    data = arrow_bytes(table().replace_schema_metadata({**METADATA, "siltstone.version": "2"}))
    key = drop(server.data, path_of(stopped), data)
    with pytest.raises(Exception, match="format version"):
        stopped.count()
    other.add(ids=["a"], embeddings=[[1, 2, 3]])
    assert other.count() == 1
    (server.data / key).unlink()
    assert stopped.count() == 1
    client.delete_collection("of-tomorrow")
    client.delete_collection("of-today")


def test_our_deltas_are_read_by_another_implementation(server, client, things):
    from store import checksum_is_right

    lines = [
        {"id": "a", "vector": [1, 2.5], "document": "text €", "metadata": {"n": 1, "f": 1.5, "tags": ["x"]}, "uri": "u"},
        {"id": "b", "op": "add", "vector": [3, 4]},
        {"id": "c", "op": "update", "metadata": {"n": None}},
        {"id": "d", "op": "delete"},
    ]
    stdin = "\n".join(json.dumps(line) for line in lines)
    made = cli(server.data, "produce", "things", "--database", client.database, stdin=stdin)
    assert (len(made["deltas"]), made["records"]) == (1, 4)
    data = (server.data / made["deltas"][0]["key"]).read_bytes()
    assert checksum_is_right(data)
    read = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    read.validate(full=True)
    assert read["id"].to_pylist() == ["a", "b", "c", "d"]
    assert read["op"].to_pylist() == ["upsert", "add", "update", "delete"]
    vector = read.schema.field("vector").type
    assert (vector.list_size, vector.value_type) == (2, pa.float32())
    assert read["vector"].to_pylist() == [[1, 2.5], [3, 4], None, None]
    assert read["document"].to_pylist() == ["text €", None, None, None]
    assert [t and json.loads(t) for t in read["metadata"].to_pylist()] == [lines[0]["metadata"], None, {"n": None}, None]
    assert read["uri"].to_pylist() == ["u", None, None, None]
    said = {key.decode(): value.decode() for key, value in read.schema.metadata.items()}
    assert said["siltstone.collection"] == path_of(things)
    assert (said["siltstone.records"], said["siltstone.dimension"]) == ("4", "2")
    assert things.get()["ids"] == ["a", "b"]


def test_our_log_entries_are_read_by_another_implementation(server, admin, tmp_path):
    from siltstone import Server
    from store import checksum_is_right

    own = Server(tmp_path / "data", "--no-compaction")
    things = client_of(own).create_collection("things", embedding_function=None)
    drop(own.data, path_of(things), arrow_bytes(table()))
    things.add(ids=["b", "c"], embeddings=[[1, 1, 1], [2, 2, 2]], metadatas=[{"n": 1}, None], documents=["x", None])
    things.delete(ids=["c"])
    entries = sorted((own.data / "delta" / path_of(things)).glob("*.arrow"))
    assert [entry.name for entry in entries] == [f"{n:020}.arrow" for n in (1, 2)]
    heads = []
    for entry in entries:
        data = entry.read_bytes()
        assert checksum_is_right(data)
        read = pa.ipc.open_file(pa.BufferReader(data)).read_all()
        read.validate(full=True)
        heads.append((json.loads(read.schema.metadata[b"siltstone.entry"]), read))
    (first, records), (second, deletion) = heads
    assert (first["number"], second["number"], first["control"]) == (1, 2, None)
    (mention,) = first["sequenced"]
    # The entry holds the records of the small delta, before its own, and the delta is deleted.
    dropped = table()
    assert mention["inline"] == len(dropped)
    assert records["id"].to_pylist() == [*dropped["id"].to_pylist(), "b", "c"]
    assert records["vector"].to_pylist() == [*dropped["vector"].to_pylist(), [1, 1, 1], [2, 2, 2]]
    assert deletion.select(["id", "op"]).to_pylist() == [{"id": "c", "op": "delete"}]
    assert own.stop() == 0
    assert not (own.data / mention["key"]).exists()
    assert own.errors() == []
