import pytest
from chromadb.base_types import SparseVector
from chromadb.errors import ChromaError


def test_types_stay_what_they_are(things):
    metadata = {
        "int": 1,
        "float": 1.0,
        "half": 0.5,
        "true": True,
        "text": "1",
        "largest": 2**63 - 1,
        "smallest": -(2**63),
        "beyond": 2**53 + 1,
        "tiny": 5e-324,
        "huge": 1.7976931348623157e308,
        "empty": "",
        "ints": [1, 2, 3],
        "floats": [1.0, 2.5],
        "texts": ["a", "é"],
        "flags": [True, False],
    }
    things.add(ids=["a"], embeddings=[[1.0]], metadatas=[metadata])
    got = things.get()["metadatas"][0]
    assert got == metadata
    for key, value in metadata.items():
        assert type(got[key]) is type(value), key
        if isinstance(value, list):
            assert [type(one) for one in got[key]] == [type(one) for one in value], key


def test_sparse_vectors(things):
    vector = SparseVector(indices=[1, 5, 4_294_967_295], values=[0.5, -1.0, 2.0])
    things.add(ids=["a"], embeddings=[[1.0]], metadatas=[{"sparse": vector, "n": 1}])
    got = things.get()["metadatas"][0]
    assert got["sparse"].indices == vector.indices
    assert got["sparse"].values == vector.values
    assert got["n"] == 1


def test_arrays_replace_and_disappear(things):
    things.add(ids=["a"], embeddings=[[1.0]], metadatas=[{"tags": ["x", "y"], "n": 1}])
    things.update(ids=["a"], metadatas=[{"tags": ["z"], "n": [1, 2]}])
    assert things.get()["metadatas"] == [{"tags": ["z"], "n": [1, 2]}]
    things.update(ids=["a"], metadatas=[{"tags": None}])
    assert things.get()["metadatas"] == [{"n": [1, 2]}]
    things.update(ids=["a"], metadatas=[{"n": None}])
    assert things.get()["metadatas"] == [None]


@pytest.mark.parametrize("key", ["__proto__", "constructor", "toString", "hasOwnProperty", "a.b", "a b", "é", "0"])
def test_any_key_is_a_key(things, key):
    things.add(ids=["a", key], embeddings=[[1.0], [2.0]], metadatas=[{key: "v"}, {"other": 1}])
    assert things.get()["metadatas"] == [{key: "v"}, {"other": 1}]
    assert things.get(where={key: "v"})["ids"] == ["a"]
    assert things.get(ids=[key])["ids"] == [key]
    things.update(ids=["a"], metadatas=[{key: "w"}])
    assert things.get(where={key: "w"})["ids"] == ["a"]


@pytest.mark.parametrize("metadata", [{"#x": 1}, {"$x": 1}, {"": 1}, {"x": {"y": 1}}, {"x": [1, "a"]}, {"x": [[1]]}])
def test_refused(server, things, client, metadata):
    """Over the wire, since the client refuses most of them itself."""
    path = f"/tenants/default_tenant/databases/{client.database}/collections/{things.id}/add"
    answer = server.request("POST", path, json={"ids": ["a"], "embeddings": [[1]], "metadatas": [metadata]})
    assert answer.status_code in (400, 422), answer.text
    assert things.count() == 0
    with pytest.raises((ChromaError, ValueError, TypeError)):
        things.add(ids=["a"], embeddings=[[1.0]], metadatas=[metadata])
    assert things.count() == 0
