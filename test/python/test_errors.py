import uuid

import numpy as np
import pytest
from chromadb.errors import ChromaError, DuplicateIDError, InternalError, InvalidArgumentError, NotFoundError


def test_missing_things(client, things):
    with pytest.raises(NotFoundError, match="does not exist") as raised:
        client.get_collection("nothing", embedding_function=None)
    assert raised.value.trace_id
    with pytest.raises(NotFoundError):
        client.get_collection_by_id(uuid.uuid4())
    client.delete_collection("things")
    for call in (
        lambda: things.add(ids=["a"], embeddings=[[1.0]]),
        lambda: things.get(),
        lambda: things.query(query_embeddings=[[1.0]]),
        lambda: things.delete(ids=["a"]),
        lambda: things.modify(name="other"),
        lambda: things.fork("other"),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_wrong_dimensions(things):
    things.add(ids=["a"], embeddings=[[1.0, 2.0]])
    for call in (
        lambda: things.add(ids=["b"], embeddings=[[1.0]]),
        lambda: things.upsert(ids=["a"], embeddings=[[1.0, 2.0, 3.0]]),
        lambda: things.update(ids=["a"], embeddings=[[1.0]]),
        lambda: things.query(query_embeddings=[[1.0]]),
    ):
        with pytest.raises(InvalidArgumentError, match="dimension of 2, got"):
            call()
    assert things.get(include=["embeddings"])["embeddings"].tolist() == [[1.0, 2.0]]


def test_bad_batches(things):
    with pytest.raises((ValueError, InvalidArgumentError)):
        things.add(ids=["a", "b"], embeddings=[[1.0]])
    with pytest.raises((ValueError, InvalidArgumentError)):
        things.add(ids=["a", "b"], embeddings=[[1.0], [1.0, 2.0]])
    with pytest.raises((ValueError, InvalidArgumentError)):
        things.add(ids=[""], embeddings=[[1.0]])
    with pytest.raises(DuplicateIDError):
        things.add(ids=["a", "a"], embeddings=[[1.0], [2.0]])
    with pytest.raises((ValueError, InvalidArgumentError)):
        things.add(ids=["a"], embeddings=[[float("nan")]])
    with pytest.raises((ValueError, InvalidArgumentError)):
        things.add(ids=["a"], embeddings=np.array([[np.inf]], dtype=np.float32))
    with pytest.raises((ValueError, TypeError)):
        things.add(ids=[1], embeddings=[[1.0]])
    assert things.count() == 0


def test_a_query_of_an_unknown_id_is_an_error(things):
    things.add(ids=["a"], embeddings=[[1.0]])
    with pytest.raises(InternalError, match="Error finding id"):
        things.query(query_embeddings=[[1.0]], ids=["missing"])


def test_unique_names(client, things):
    with pytest.raises(ChromaError, match=r"Collection \[things\] already exists"):
        client.create_collection("things", embedding_function=None)
    other = client.create_collection("other", embedding_function=None)
    with pytest.raises(ChromaError, match="already exists"):
        other.modify(name="things")
    with pytest.raises(ChromaError, match="already exists"):
        things.fork("other")


def test_exactly_one_of_many_creators_wins(client):
    from concurrent.futures import ThreadPoolExecutor

    def create(_):
        try:
            return client.create_collection("contested", embedding_function=None).id
        except ChromaError as error:
            assert "already exists" in str(error)

    with ThreadPoolExecutor(8) as pool:
        made = [one for one in pool.map(create, range(8)) if one is not None]
        same = set(pool.map(lambda _: client.get_or_create_collection("shared", embedding_function=None).id, range(8)))
    assert len(made) == 1
    assert len(same) == 1


def test_conditional_commits(server, client, things):
    """What a read saw must still hold at the commit; the client has no method for it yet."""
    path = f"/tenants/default_tenant/databases/{client.database}/collections/{things.id}/conditional"
    things.add(ids=["counter"], embeddings=[[1.0]], metadatas=[{"n": 1}])
    read = server.request("POST", f"{path}/get", json={"ids": ["counter"], "include": ["metadatas"]}).json()
    assert read["metadatas"] == [{"n": 1}]

    def commit(n):
        return server.request(
            "POST",
            f"{path}/commit",
            json={
                "read_token": read["read_token"],
                "read_ids": ["counter"],
                "operations": [{"operation": "update", "payload": {"ids": ["counter"], "metadatas": [{"n": n}]}}],
            },
        )

    assert commit(2).status_code == 200
    again = commit(3)
    assert (again.status_code, again.json()["error"]) == (409, "ConditionalWriteConflictError")
    assert things.get()["metadatas"] == [{"n": 2}]
