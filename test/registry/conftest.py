"""A registry, its admin, and clients that know of it only by their environment."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


ADMIN = {"name": "root", "password": "it's \"odd\" (__+@**(A'\"`;DROP TABLE artifacts;"}


def pytest_addoption(parser):
    parser.addoption("--place", default="", help="where the registry is kept, as --data of serve; default: a folder")
    parser.addoption("--examples", default=8, type=int, help="of each operation, for the check of the contract")
    parser.addoption("--heavy", action="store_true", help="the tests of libraries that are large to install, and no others")
    parser.addoption("--stateful", action="store_true", help="check the contract over sequences of requests, too")


def pytest_collection_modifyitems(config, items):
    heavy = config.getoption("--heavy")
    chosen = [item for item in items if (item.get_closest_marker("heavy") is not None) == heavy]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


class Registry:
    def __init__(self, folder: Path, place=""):
        self.folder = folder
        self.is_local = not place
        node = os.environ.get("SILTSTONE_NODE", str(ROOT / "node_modules/.bin/node"))
        command = [node, str(ROOT / "packages/siltstone/src/cli/main.ts"), "serve", "--data", place or str(folder / "data")]
        options = ["--port", "0", "--registry", "--registry-port", "0", "--json", "--log-level", "warn"]
        # Nothing outside this machine is asked.
        nobody = {"REGISTRY_HUB_URL": "http://127.0.0.1:9", "REGISTRY_GITHUB_API_URL": "http://127.0.0.1:9"}
        admin = {"REGISTRY_ADMIN_USER": ADMIN["name"], "REGISTRY_ADMIN_PASSWORD": ADMIN["password"]}
        environment = {**os.environ, **nobody, **admin}
        self.process = subprocess.Popen(command + options, stdout=subprocess.PIPE, text=True, env=environment)
        text = ""
        for line in self.process.stdout:
            text += line
            if line.startswith("}"):
                break
        served = json.loads(text)["registry"]
        self.url = served["url"]
        self.hub_url = served["hubUrl"]
        user = {"user": {"name": ADMIN["name"], "is_admin": True}, "secret": {"password": ADMIN["password"]}}
        self.session = self.call("PUT", "/authenticate", user, token=None)
        self.ada = self.user("ada")
        self.ben = self.user("ben")

    def user(self, name: str) -> str:
        """Makes a user. Returns a key."""
        self.call("POST", "/register", {"user": {"name": name, "is_admin": False}, "secret": {"password": "a long password"}})
        return self.call("POST", f"/user/{name}/keys", {})["token"]

    def call(self, method: str, path: str, body=None, token=""):
        headers = {"content-type": "application/json"}
        if token is not None:
            headers["x-authorization"] = token or self.session
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def environment(self, home: Path, **more) -> dict:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING_FACE_"))}
        own = {"HF_ENDPOINT": self.hub_url, "HF_HOME": str(home), "HF_TOKEN": self.ada, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        return {**kept, **own, **more}

    def hf(self, *arguments, home: Path, check=True, **more) -> subprocess.CompletedProcess:
        command = [str(BIN / "hf"), *map(str, arguments)]
        done = subprocess.run(command, env=self.environment(home, **more), capture_output=True, text=True, timeout=100)
        if check and done.returncode != 0:
            raise AssertionError(f"hf {arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def python(self, script: str, home: Path, **more) -> str:
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=self.environment(home, **more), capture_output=True, text=True, timeout=100)
        if done.returncode != 0:
            raise AssertionError(f"the script ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0


@pytest.fixture(scope="session")
def registry(tmp_path_factory, request):
    started = Registry(tmp_path_factory.mktemp("registry"), request.config.getoption("--place"))
    yield started
    started.stop()


@pytest.fixture
def other_registry(tmp_path):
    """One of its own for a test that leaves nothing as it was."""
    started = Registry(tmp_path, f"sqlite:///{tmp_path}/registry.db")
    yield started
    started.stop()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "hf"


@pytest.fixture
def model(tmp_path):
    """A small model: text, weights that a commit holds, and weights that are too large for one."""
    folder = tmp_path / "model"
    (folder / "extra").mkdir(parents=True)
    card = "---\nlicense: apache-2.0\npipeline_tag: text-classification\nbase_model: ada/base\n---\n# Tern\n\nReads sea weather reports.\n"
    (folder / "README.md").write_text(card)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "model.safetensors").write_bytes(os.urandom(1_000_000))
    (folder / "extra" / "optimizer.bin").write_bytes(os.urandom(11_000_000))
    return folder
