import numpy as np
import pytest
from chromadb.api.types import ReadLevel
from chromadb.errors import InvalidArgumentError


def fill(things):
    things.add(
        ids=["a", "b", "c"],
        embeddings=[[1, 0], [0, 1], [2, 2]],
        documents=["apple", "fig", None],
        metadatas=[{"n": 1, "ripe": True}, None, {"n": 3}],
        uris=["u:a", None, "u:c"],
    )
    return things


def test_get_with_every_include(things):
    fill(things)
    got = things.get()
    assert got["ids"] == ["a", "b", "c"]
    assert got["documents"] == ["apple", "fig", None]
    assert got["metadatas"] == [{"n": 1, "ripe": True}, None, {"n": 3}]
    assert got["embeddings"] is None and got["uris"] is None
    got = things.get(include=["embeddings", "uris"])
    assert got["uris"] == ["u:a", None, "u:c"]
    assert np.array_equal(got["embeddings"], [[1, 0], [0, 1], [2, 2]])
    assert got["documents"] is None and got["metadatas"] is None
    assert things.get(include=[])["ids"] == ["a", "b", "c"]


def test_get_is_in_order_of_insertion(things):
    fill(things)
    assert things.get(ids=["c", "a", "zz"])["ids"] == ["a", "c"]
    things.upsert(ids=["a", "d"], embeddings=[[5, 5], [6, 6]])
    assert things.get()["ids"] == ["a", "b", "c", "d"]
    things.delete(ids=["a"])
    things.add(ids=["a"], embeddings=[[7, 7]])
    assert things.get()["ids"] == ["b", "c", "d", "a"]


def test_paging(things):
    ids = [f"id-{i:03}" for i in range(100)]
    things.add(ids=ids, embeddings=np.arange(200).reshape(100, 2).astype(np.float32))
    pages = [things.get(limit=30, offset=offset)["ids"] for offset in range(0, 120, 30)]
    assert [len(page) for page in pages] == [30, 30, 30, 10]
    assert [one for page in pages for one in page] == ids
    assert things.get(limit=0)["ids"] == []
    assert things.peek(5)["ids"] == ids[:5]


def test_add_ignores_what_is_there(things):
    fill(things)
    things.add(ids=["a", "d"], embeddings=[[9, 9], [8, 8]], metadatas=[{"n": 99}, {"n": 4}])
    got = things.get(ids=["a", "d"], include=["embeddings", "metadatas", "documents"])
    assert got["embeddings"].tolist() == [[1, 0], [8, 8]]
    assert got["metadatas"] == [{"n": 1, "ripe": True}, {"n": 4}]
    assert things.count() == 4


def test_upsert_merges(things):
    fill(things)
    things.upsert(ids=["a"], embeddings=[[3, 3]], metadatas=[{"n": None, "more": "x"}])
    got = things.get(ids=["a"], include=["embeddings", "metadatas", "documents", "uris"])
    assert got["embeddings"].tolist() == [[3, 3]]
    assert got["metadatas"] == [{"ripe": True, "more": "x"}]
    assert (got["documents"], got["uris"]) == (["apple"], ["u:a"])


def test_update_changes_only_what_is_given(things):
    fill(things)
    things.update(ids=["a", "zz"], metadatas=[{"n": 2}, {"n": 0}])
    things.update(ids=["b"], embeddings=[[4, 4]])
    # The client embeds documents without vectors; this collection has no function, so the test gives both.
    things.update(ids=["c"], documents=["cherry"], embeddings=[[2, 2]])
    got = things.get(include=["embeddings", "metadatas", "documents"])
    assert got["ids"] == ["a", "b", "c"]
    assert got["embeddings"].tolist() == [[1, 0], [4, 4], [2, 2]]
    assert got["metadatas"] == [{"n": 2, "ripe": True}, None, {"n": 3}]
    assert got["documents"] == ["apple", "fig", "cherry"]


def test_delete(things):
    fill(things)
    assert things.delete(ids=["a"])["deleted"] == 1
    assert things.delete(where={"n": 3})["deleted"] == 1
    assert things.delete(where={"n": 3})["deleted"] == 0
    assert things.get()["ids"] == ["b"]
    assert things.delete(where_document={"$contains": "fi"})["deleted"] == 1
    assert things.count() == 0


def test_delete_with_a_limit_is_exact(things):
    things.add(ids=[str(i) for i in range(10)], embeddings=[[float(i)] for i in range(10)], metadatas=[{"k": 1}] * 10)
    assert things.delete(where={"k": 1}, limit=4)["deleted"] == 4
    assert things.count() == 6
    assert things.delete(where={"k": 1}, limit=40)["deleted"] == 6
    with pytest.raises((InvalidArgumentError, ValueError)):
        things.delete(ids=["1"], limit=1)


def test_query(things):
    fill(things)
    got = things.query(query_embeddings=[[1, 0], [2, 2]], n_results=2)
    assert got["ids"] == [["a", "b"], ["c", "b"]] or got["ids"] == [["a", "b"], ["c", "a"]]
    assert got["distances"][0] == [0, 2]
    assert got["documents"][0] == ["apple", "fig"]
    assert got["metadatas"][0] == [{"n": 1, "ripe": True}, None]
    assert got["embeddings"] is None
    got = things.query(query_embeddings=[[1, 0]], n_results=50, include=["embeddings", "uris"])
    assert np.asarray(got["embeddings"][0]).shape == (3, 2)
    assert got["uris"] == [["u:a", None, "u:c"]]
    assert got["distances"] is None
    got = things.query(query_embeddings=[[1, 0]], ids=["c", "b"], n_results=1)
    assert got["ids"] == [["b"]]
    assert things.query(query_embeddings=[[1, 0]], where={"n": {"$gte": 2}})["ids"] == [["c"]]
    assert things.query(query_embeddings=[[1, 0]], where_document={"$contains": "g"})["ids"] == [["b"]]


@pytest.mark.parametrize("space", ["l2", "cosine", "ip"])
def test_nearest_neighbours_are_numpys(client, space):
    made = client.create_collection(f"space-{space}", configuration={"hnsw": {"space": space}}, embedding_function=None)
    random = np.random.default_rng(7)
    vectors = random.standard_normal((800, 24)).astype(np.float32)
    made.add(ids=[str(i) for i in range(800)], embeddings=vectors)
    queries = random.standard_normal((5, 24)).astype(np.float32)
    got = made.query(query_embeddings=queries, n_results=10)
    x, q = vectors.astype(np.float64), queries.astype(np.float64)
    if space == "l2":
        wanted = ((q[:, None, :] - x[None]) ** 2).sum(2)
    elif space == "ip":
        wanted = 1 - q @ x.T
    else:
        wanted = 1 - (q @ x.T) / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(x, axis=1)[None]
    for row in range(5):
        assert got["ids"][row] == [str(i) for i in np.argsort(wanted[row], kind="stable")[:10]]
        assert np.allclose(got["distances"][row], np.sort(wanted[row])[:10], rtol=1e-4, atol=1e-4)


def test_an_empty_collection(things):
    assert things.count() == 0
    assert things.get()["ids"] == []
    assert things.query(query_embeddings=[[1.0, 2.0]])["ids"] == [[]]
    assert things.peek()["ids"] == []


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_numpy_embeddings(things, dtype):
    vectors = np.arange(12).reshape(4, 3).astype(dtype)
    things.add(ids=list("abcd"), embeddings=vectors)
    things.add(ids=["e"], embeddings=vectors[0])
    got = things.get(include=["embeddings"])["embeddings"]
    assert got.dtype.kind == "f"
    assert np.array_equal(got, np.vstack([vectors, vectors[:1]]).astype(np.float64))
    assert things.query(query_embeddings=vectors[2], n_results=1)["ids"] == [["c"]]


def test_large_batches(client, things):
    random = np.random.default_rng(1)
    size = min(5000, client.get_max_batch_size())
    vectors = random.standard_normal((2 * size, 64)).astype(np.float32)
    ids = [f"record-{i}" for i in range(2 * size)]
    for at in (0, size):
        part = slice(at, at + size)
        things.add(
            ids=ids[part],
            embeddings=vectors[part],
            documents=[f"text of {one}" for one in ids[part]],
            metadatas=[{"i": i} for i in range(at, at + size)],
        )
    assert things.count() == 2 * size
    got = things.get(limit=2 * size, include=["embeddings", "metadatas"])
    assert got["ids"] == ids
    assert np.array_equal(got["embeddings"].astype(np.float32), vectors)
    assert [one["i"] for one in got["metadatas"]] == list(range(2 * size))
    assert things.query(query_embeddings=vectors[7777 % (2 * size)], n_results=1)["ids"] == [[ids[7777 % (2 * size)]]]
    with pytest.raises(Exception, match="(?i)batch size"):
        things.add(ids=[str(i) for i in range(5462)], embeddings=np.zeros((5462, 64), np.float32))


def test_texts_survive(things):
    texts = ["", "plain", "zwei €", "😀 \u0000 \u2028", "x" * 100_000, '"quoted" \\ back', "\ufeffmark"]
    things.add(ids=[f"i{i}é😀" for i in range(len(texts))], embeddings=[[1.0]] * len(texts), documents=texts)
    got = things.get()
    assert got["documents"] == texts
    assert got["ids"] == [f"i{i}é😀" for i in range(len(texts))]


def test_counts_at_every_read_level(things):
    things.add(ids=["a"], embeddings=[[1.0]])
    assert things.count() == 1
    assert things.count(read_level=ReadLevel.INDEX_AND_WAL) == 1
    assert things.count(read_level=ReadLevel.INDEX_ONLY) in (0, 1)
