"""Functions and the helpers for statistics of the unchanged Python client, over the log and over a snapshot."""
import pytest
from chromadb.api.functions import RECORD_COUNTER_FUNCTION
from chromadb.api.types import SparseVector
from chromadb.errors import NotFoundError
from chromadb.utils.statistics import (
    attach_statistics_function,
    detach_statistics_function,
    get_statistics,
    get_statistics_fn,
)
from siltstone import compact


@pytest.mark.parametrize("folded", [False, True])
def test_statistics(client, server, things, folded):
    attached, created = attach_statistics_function(things, "counted")
    assert (created, attached.function_name) == (True, "statistics")
    assert attach_statistics_function(things, "counted")[1] is False
    assert get_statistics_fn(things).id == attached.id
    version = client.get_collection("things", embedding_function=None)._model.version
    things.add(
        ids=["a", "b", "c"],
        embeddings=[[1.0]] * 3,
        metadatas=[
            {"category": "A", "score": 10, "active": True, "words": SparseVector([2, 5], [1.0, 1.0], ["fig", "apple"])},
            {"category": "B", "score": 10, "tags": ["x", "y"]},
            {"category": "A", "price": 2.5},
        ],
    )
    if folded:
        compact(server.data)
        # For what Chroma's users wait: a version with what was written.
        assert client.get_collection("things", embedding_function=None)._model.version > version
    counts = lambda found: {key: {value: one["count"] for value, one in of.items()} for key, of in found.items()}
    found = get_statistics(things, "counted")
    assert found["summary"] == {"total_count": 3}
    assert counts(found["statistics"]) == {
        "category": {"A": 2, "B": 1},
        "score": {"10": 2},
        "active": {"true": 1},
        "words": {"fig": 1, "apple": 1},
        "tags": {"x": 1, "y": 1},
        "price": {"2.5000000000000000e0": 1},
    }
    things.delete(ids=["a"])
    found = get_statistics(things, "counted", keys=["category", "active"])
    assert (counts(found["statistics"]), found["summary"]) == ({"category": {"A": 1, "B": 1}}, {"total_count": 2})
    assert detach_statistics_function(things, delete_stats_collection=True) is True
    with pytest.raises(NotFoundError):
        client.get_collection("counted", embedding_function=None)
    with pytest.raises(NotFoundError):
        things.get_attached_function("things_stats")


def test_record_counter(client, things):
    things.attach_function(function=RECORD_COUNTER_FUNCTION, name="counter", output_collection="count")
    things.add(ids=["a", "b"], embeddings=[[1.0], [2.0]])
    output = client.get_collection("count", embedding_function=None)
    assert output.get()["metadatas"] == [{"total_count": 2}]
