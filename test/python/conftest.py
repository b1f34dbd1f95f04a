import itertools

import chromadb
import pytest
from chromadb.config import Settings
from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2
from siltstone import Server

_names = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def no_download():
    """The client's default embedding function downloads a model, which no test may do."""

    def refuse(self, input):
        raise AssertionError("the default embedding function was called")

    ONNXMiniLM_L6_V2.__call__ = refuse


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("store") / "data")
    yield made
    code = made.stop()
    assert made.errors() == []
    assert code == 0


def admin_of(server):
    return chromadb.AdminClient(
        Settings(
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host="127.0.0.1",
            chroma_server_http_port=server.port,
            anonymized_telemetry=False,
        )
    )


def client_of(server, **options):
    return chromadb.HttpClient(
        host="127.0.0.1", port=server.port, settings=Settings(anonymized_telemetry=False), **options
    )


@pytest.fixture(scope="session")
def admin(server):
    return admin_of(server)


@pytest.fixture
def client(server, admin):
    """A client with its own database."""
    database = f"database-{next(_names)}"
    admin.create_database(database)
    return client_of(server, database=database)


@pytest.fixture
def things(client):
    return client.create_collection("things", embedding_function=None)
