"""The demo of the object service, as README shows it."""

import subprocess

from conftest import ROOT


def test_demo():
    command = ["npm", "run", "-s", "demo:objects", "--", "--once"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PUT media/uploads/rivers.md" in done.stdout
    assert "uploads/broken.pdf  dead: corrupt-file" in done.stdout
    before, after = done.stdout.split("Deletion of uploads/rivers.md")
    assert "passage of uploads/rivers.md, under “Where it lets go”" in before
    assert "of uploads/talk.mp4#t=" in before
    assert "gone, 0 records" in after
    assert "of uploads/rivers.md" not in after
