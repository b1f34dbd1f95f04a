"""A server with the S3 face, and clients for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
MIB = 1024 * 1024
[FFMPEG] = ROOT.glob("node_modules/@ffmpeg-installer/*/ffmpeg")


class Server:
    def __init__(self, folder: Path):
        self.data = folder / "data"
        node = os.environ.get("SILTSTONE_NODE", str(ROOT / "node_modules/.bin/node"))
        self.command = [node, str(ROOT / "packages/siltstone/src/cli/main.ts")]
        command = [*self.command, "serve", "--data", str(self.data)]
        options = ["--port", "0", "--objects", "--objects-port", "0", "--json", "--log-level", "warn"]
        environment = {**os.environ, "SILTSTONE_FFMPEG": str(FFMPEG), "SILTSTONE_OCR": "eng"}
        self.process = subprocess.Popen(command + options, stdout=subprocess.PIPE, text=True, env=environment)
        text = ""
        for line in self.process.stdout:
            text += line
            if line.startswith("}"):
                break
        objects = json.loads(text)["objects"]
        self.url = objects["url"]
        key = json.loads(Path(objects["keysFile"]).read_text())[0]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_"))},
            "AWS_ACCESS_KEY_ID": key["accessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["secretAccessKey"],
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
            # No file of this machine may change what a client does.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "RCLONE_CONFIG": os.devnull,
            "RCLONE_CONFIG_HERE_TYPE": "s3",
            "RCLONE_CONFIG_HERE_PROVIDER": "Other",
            "RCLONE_CONFIG_HERE_ENDPOINT": self.url,
            "RCLONE_CONFIG_HERE_ACCESS_KEY_ID": key["accessKeyId"],
            "RCLONE_CONFIG_HERE_SECRET_ACCESS_KEY": key["secretAccessKey"],
        }

    def run(self, program: str, *arguments, check=True) -> subprocess.CompletedProcess:
        command = [str(BIN / program), *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=100)
        if check and done.returncode != 0:
            raise AssertionError(f"{program} {arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def aws(self, *arguments, check=True):
        return self.run("aws", *arguments, check=check)

    def rclone(self, *arguments, check=True):
        return self.run("rclone", *arguments, check=check)

    def boto3(self, **options):
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            **options,
        )

    def siltstone(self, *arguments):
        """A command of the CLI on the server's directory; its answer as JSON."""
        command = [*self.command, *map(str, arguments), "--data", str(self.data), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return json.loads(done.stdout)

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def bucket(server, request):
    name = request.node.name.lower().replace("_", "-").replace("[", "-").replace("]", "")[:60]
    server.boto3().create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A folder with files of every size at which something changes, and with names that need encoding."""
    root = tmp_path_factory.mktemp("tree")
    sizes = {
        "empty": 0,
        "small.txt": 12,
        "a+b c.txt": 17 * 1024,
        "ünï/cödé 日本.bin": 40_000,
        "deep/er/and deeper/file": 3,
        "percent%20.txt": 5,
        "large.bin": 40 * MIB,
    }
    for name, size in sizes.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
    return root
