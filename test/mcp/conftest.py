import pytest
from siltstone import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("store") / "data", "--mcp")
    yield made
    assert made.stop() == 0
    assert made.errors() == []
