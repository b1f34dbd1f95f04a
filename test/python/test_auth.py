import json

import chromadb
import pytest
from chromadb.config import Settings
from chromadb.errors import AuthorizationError
from siltstone import Server

TOKENS = [
    {"token": "admin-secret-1", "user": "ops", "role": "admin", "tenants": ["*"]},
    {"token": "write-secret-2", "user": "app", "role": "write", "tenants": ["default_tenant"]},
    {"token": "read-secret-3", "user": "eve", "role": "read", "tenants": ["default_tenant"]},
    {"token": "other-secret-4", "user": "oth", "role": "write", "tenants": ["other_tenant"]},
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "tokens.json").write_text(json.dumps(TOKENS))
    server = Server(folder / "data", "--tokens", str(folder / "tokens.json"))
    yield server
    assert server.stop() == 0
    log = "".join(server.log)
    assert not any(one["token"] in log for one in TOKENS)
    assert server.errors() == []


def client_of(server, token, header="x-chroma-token", **options):
    headers = {header: f"Bearer {token}" if header == "Authorization" else token}
    settings = Settings(anonymized_telemetry=False)
    return chromadb.HttpClient(host="127.0.0.1", port=server.port, headers=headers, settings=settings, **options)


def test_without_a_token_nothing_is_shown(guarded):
    with pytest.raises(Exception, match="token"):
        chromadb.HttpClient(host="127.0.0.1", port=guarded.port, settings=Settings(anonymized_telemetry=False))
    with pytest.raises(Exception, match="not valid"):
        client_of(guarded, "guess")


@pytest.mark.parametrize("header", ["x-chroma-token", "Authorization"])
def test_roles(guarded, header):
    writer = client_of(guarded, "write-secret-2", header)
    made = writer.get_or_create_collection("shared", embedding_function=None)
    made.upsert(ids=["a"], embeddings=[[1.0]])
    assert writer.get_user_identity().user_id == "app"
    reader = client_of(guarded, "read-secret-3", header).get_collection("shared", embedding_function=None)
    assert reader.get()["ids"] == ["a"]
    with pytest.raises(AuthorizationError):
        reader.add(ids=["b"], embeddings=[[2.0]])
    assert made.count() == 1


def test_the_clients_token_provider(guarded):
    settings = Settings(
        chroma_client_auth_provider="chromadb.auth.token_authn.TokenAuthClientProvider",
        chroma_client_auth_credentials="write-secret-2",
        anonymized_telemetry=False,
    )
    client = chromadb.HttpClient(host="127.0.0.1", port=guarded.port, settings=settings)
    assert client.get_user_identity().user_id == "app"


def test_tenants_do_not_see_each_other(guarded):
    writer = client_of(guarded, "write-secret-2")
    made = writer.get_or_create_collection("private", embedding_function=None)
    made.upsert(ids=["a"], embeddings=[[1.0]])
    headers = {"x-chroma-token": "other-secret-4"}
    base = "/tenants/default_tenant/databases/default_database"
    for method, path in (
        ("GET", "/tenants/default_tenant"),
        ("GET", f"{base}/collections"),
        ("GET", f"{base}/collections/private"),
        ("GET", f"{base}/collections/{made.id}/count"),
        ("POST", f"{base}/collections/{made.id}/get"),
        ("POST", f"{base}/collections/{made.id}/delete"),
    ):
        answer = guarded.request(method, path, headers=headers, json={} if method == "POST" else None)
        assert answer.status_code == 403, f"{method} {path}: {answer.text}"
    # The collection's id is not found under the other tenant.
    path = f"/tenants/other_tenant/databases/default_database/collections/{made.id}"
    assert guarded.request("GET", f"{path}/count", headers=headers).status_code == 404
    assert guarded.request("POST", f"{path}/get", headers=headers, json={}).status_code == 404
    assert made.count() == 1
