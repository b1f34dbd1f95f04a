import uuid

import pytest
from chromadb.api.types import EmbeddingFunction
from chromadb.errors import ChromaError, InvalidArgumentError, NotFoundError
from chromadb.utils.embedding_functions import register_embedding_function
from conftest import client_of


@register_embedding_function
class Letters(EmbeddingFunction):
    """[length, vowels, 1]"""

    def __init__(self, scale=1.0):
        self.scale = scale

    def __call__(self, input):
        import numpy as np

        return [np.array([len(t) * self.scale, sum(c in "aeiou" for c in t), 1], dtype=np.float32) for t in input]

    @staticmethod
    def name():
        return "test-letters"

    def get_config(self):
        return {"scale": self.scale}

    @staticmethod
    def build_from_config(config):
        return Letters(config["scale"])


def test_tenants_and_databases(server, admin):
    tenant = f"tenant-{uuid.uuid4().hex[:8]}"
    admin.create_tenant(tenant)
    assert admin.get_tenant(tenant)["name"] == tenant
    with pytest.raises(ChromaError, match="already exists"):
        admin.create_tenant(tenant)
    for name in ("two", "one", "three"):
        admin.create_database(f"database-{name}", tenant)
    with pytest.raises(ChromaError, match="already exists"):
        admin.create_database("database-one", tenant)
    made = admin.get_database("database-one", tenant)
    assert (made["name"], made["tenant"]) == ("database-one", tenant)
    names = [database["name"] for database in admin.list_databases(tenant=tenant)]
    assert names == ["database-one", "database-three", "database-two"]
    assert [d["name"] for d in admin.list_databases(limit=1, offset=1, tenant=tenant)] == ["database-three"]
    admin.delete_database("database-two", tenant)
    with pytest.raises(NotFoundError):
        admin.get_database("database-two", tenant)
    with pytest.raises(NotFoundError):
        admin.get_tenant("tenant-missing")


def test_a_client_of_another_tenant_sees_other_collections(server, admin, client, things):
    tenant = f"tenant-{uuid.uuid4().hex[:8]}"
    admin.create_tenant(tenant)
    admin.create_database("default_database", tenant)
    other = client_of(server, tenant=tenant)
    assert other.list_collections() == []
    with pytest.raises(NotFoundError):
        other.get_collection("things", embedding_function=None)
    mine = other.create_collection("things", embedding_function=None)
    assert mine.id != things.id
    with pytest.raises(NotFoundError, match="tenant-missing"):
        client_of(server, tenant="tenant-missing")


def test_create_get_modify_delete(client):
    made = client.create_collection(
        "things",
        metadata={"owner": "me", "level": 3, "share": 0.5, "open": True},
        configuration={"hnsw": {"space": "cosine", "ef_search": 20}},
        embedding_function=None,
    )
    assert made.metadata == {"owner": "me", "level": 3, "share": 0.5, "open": True}
    with pytest.raises(ChromaError, match="already exists"):
        client.create_collection("things", embedding_function=None)
    same = client.get_or_create_collection("things", metadata={"owner": "you"}, embedding_function=None)
    assert (same.id, same.metadata["owner"]) == (made.id, "me")
    got = client.get_collection("things", embedding_function=None)
    assert got.id == made.id
    assert got.configuration_json["hnsw"]["space"] == "cosine"
    assert got.configuration_json["hnsw"]["ef_search"] == 20
    assert client.get_collection_by_id(made.id, embedding_function=None).name == "things"

    made.modify(name="renamed", metadata={"owner": "you"}, configuration={"hnsw": {"ef_search": 50}})
    with pytest.raises(NotFoundError):
        client.get_collection("things", embedding_function=None)
    renamed = client.get_collection("renamed", embedding_function=None)
    assert (renamed.id, renamed.metadata) == (made.id, {"owner": "you"})
    assert renamed.configuration_json["hnsw"]["ef_search"] == 50

    client.create_collection("other", embedding_function=None)
    with pytest.raises(ChromaError, match="already exists"):
        made.modify(name="other")

    client.delete_collection("renamed")
    with pytest.raises(NotFoundError):
        client.delete_collection("renamed")
    with pytest.raises(NotFoundError):
        made.count()
    again = client.create_collection("renamed", embedding_function=None)
    assert again.id != made.id


def test_list_and_count_by_pages(client):
    ids = {client.create_collection(f"many-{i:02}", embedding_function=None).id for i in range(25)}
    assert client.count_collections() == 25
    pages = [client.list_collections(limit=10, offset=offset) for offset in (0, 10, 20)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert {collection.id for page in pages for collection in page} == ids
    assert client.list_collections(limit=10, offset=30) == []


@pytest.mark.parametrize("name", ["x", "-bad", "my..coll", "192.168.1.1", "with space", "../../etc", "é" * 5])
def test_bad_names(client, name):
    with pytest.raises((InvalidArgumentError, ValueError)):
        client.create_collection(name, embedding_function=None)
    assert client.count_collections() == 0


def test_the_embedding_function_is_kept_and_used(client):
    made = client.create_collection("embedded", embedding_function=Letters(2.0))
    made.add(ids=["a", "b"], documents=["aaaa", "strawberry"])
    got = client.get_collection("embedded")
    assert got.configuration_json["embedding_function"]["name"] == "test-letters"
    assert got.get(ids=["a"], include=["embeddings"])["embeddings"].tolist() == [[8, 4, 1]]
    assert got.query(query_texts=["strawberries"], n_results=1)["ids"] == [["b"]]
    got.update(ids=["a"], documents=["aa"])
    assert got.get(ids=["a"], include=["embeddings"])["embeddings"].tolist() == [[4, 2, 1]]


def test_fork(client, things):
    things.add(ids=["a", "b"], embeddings=[[1.0], [2.0]], documents=["one", "two"])
    fork = things.fork("forked")
    assert fork.name == "forked"
    fork.upsert(ids=["a", "c"], embeddings=[[9.0], [3.0]])
    things.delete(ids=["b"])
    assert things.get()["ids"] == ["a"]
    assert things.get(include=["embeddings"])["embeddings"].tolist() == [[1.0]]
    assert fork.get()["ids"] == ["a", "b", "c"]
    assert fork.get(ids=["a", "b"], include=["embeddings"])["embeddings"].tolist() == [[9.0], [2.0]]
    assert things.fork_count() == 1
    client.delete_collection("things")
    assert fork.count() == 3


def test_indexing_status(things):
    things.add(ids=["a", "b"], embeddings=[[1.0], [2.0]])
    status = things.get_indexing_status()
    assert status.total_ops == 2
    assert status.num_indexed_ops + status.num_unindexed_ops == 2
    assert 0 <= status.op_indexing_progress <= 1
