"""The command line and the server, started from the sources as a user starts them."""
import json
import os
import pathlib
import signal
import subprocess
import threading

import httpx

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = os.environ.get("SILTSTONE_NODE", str(ROOT / "node_modules/.bin/node"))
MAIN = str(ROOT / "packages/siltstone/src/cli/main.ts")


def cli(data, *args, code=0, stdin=""):
    """Runs one command on the store `data`. Returns the output of `--json`."""
    command = [NODE, MAIN, *args, "--data", str(data), "--json"]
    ran = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)
    assert ran.returncode == code, f"{args}: exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return json.loads(ran.stdout) if ran.stdout.strip() else None


def compact(data, *args):
    """Folds the present log, after a compaction that is already running: a server folds by itself."""
    busy = [one["collection"] for one in cli(data, "compact", "--wait", "60", *args) if one["busy"]]
    assert not busy, f"another process has been compacting {busy} for a minute"


class Server:
    def __init__(self, data, *args, port=0):
        self.data = pathlib.Path(data)
        command = [NODE, MAIN, "serve", "--data", str(data), "--port", str(port), "--log-level", "warn", "--json", *args]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.log = []
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self._reader.start()
        text = ""
        while "}" not in text:
            line = self.process.stdout.readline()
            if line == "":
                self._reader.join(5)
                raise RuntimeError(f"the server exited with {self.process.wait()}: {''.join(self.log)}")
            text += line
        self.url = json.loads(text)["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def request(self, method, path, **options):
        return httpx.request(method, f"{self.url}/api/v2{path}", timeout=60, **options)

    def errors(self):
        """Log lines of level error (50) or higher."""
        return [line for line in self.log if json.loads(line)["level"] >= 50]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=15)
        self._reader.join(5)
        return code
