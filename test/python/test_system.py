import time

import pytest
from chromadb.errors import ChromaError
from conftest import client_of
from siltstone import Server


def test_heartbeat_version_and_limits(server, client):
    assert abs(client.heartbeat() / 1e9 - time.time()) < 60
    assert client.get_version() == "1.0.0"
    assert client.get_max_batch_size() == 5461
    identity = client.get_user_identity()
    assert (identity.tenant, identity.user_id) == ("default_tenant", "")


def test_reset_is_refused_unless_allowed(client, things):
    with pytest.raises(ChromaError, match="Reset is disabled"):
        client.reset()
    assert client.count_collections() == 1


def test_reset_where_it_is_allowed(tmp_path):
    server = Server(tmp_path / "data", "--allow-reset")
    client = client_of(server)
    things = client.create_collection("things", embedding_function=None)
    things.add(ids=["a"], embeddings=[[1.0]])
    assert client.reset() is True
    assert client.count_collections() == 0
    assert client.create_collection("things", embedding_function=None).count() == 0
    assert server.stop() == 0
    assert server.errors() == []


def test_answers_errors_with_a_trace_id(server):
    answer = server.request("GET", "/tenants/missing")
    assert answer.status_code == 404
    assert answer.json()["error"] == "NotFoundError"
    assert len(answer.headers["chroma-trace-id"]) == 32


def test_the_first_version_of_the_api_is_gone(server):
    import httpx

    answer = httpx.get(f"{server.url}/api/v1/heartbeat")
    assert (answer.status_code, answer.json()["error"]) == (410, "Unimplemented")
