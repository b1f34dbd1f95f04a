"""What is said in a video is found with its time: a speech synthesiser says known sentences, the model writes them down again."""

import re
import subprocess
import tempfile
import wave
from pathlib import Path

import pytest
from conftest import FFMPEG

# Each is said in a scene of its own, with a second of silence behind it; no passage goes beyond a scene.
SAID = [
    "Rivers carry sand and clay from the hills to the sea. The heavy grains sink first, where the water is slow.",
    "The baker mixes flour with warm water and salt. Then the bread stays in the oven for one hour.",
]
COLOURS = ["red", "blue"]


def say(text: str, path: Path) -> float:
    """@returns the length in seconds"""
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", path, text], check=True, timeout=60)
    with wave.open(str(path)) as spoken:
        return spoken.getnframes() / spoken.getframerate()


@pytest.fixture(scope="module")
def talk():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lengths = [say(text, folder / f"{n}.wav") + 1 for n, text in enumerate(SAID)]
        inputs, sound, scenes = [], "", ""
        for n, seconds in enumerate(lengths):
            inputs += ["-f", "lavfi", "-i", f"color={COLOURS[n]}:size=320x180:rate=10:duration={seconds:.3f}"]
            inputs += ["-i", str(folder / f"{n}.wav")]
            sound += f"[{2 * n + 1}:a]apad,atrim=duration={seconds}[a{n}];"
            scenes += f"[{2 * n}:v][a{n}]"
        joined = f"{sound}{scenes}concat=n={len(SAID)}:v=1:a=1[v][a]"
        encoded = ["-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"]
        command = [FFMPEG, "-v", "error", *inputs, "-filter_complex", joined, *encoded, str(folder / "talk.mp4")]
        subprocess.run(command, check=True, timeout=100)
        yield (folder / "talk.mp4").read_bytes(), lengths


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def word_errors(said: list[str], written: list[str]) -> int:
    """The least number of words to replace, insert and delete."""
    row = list(range(len(written) + 1))
    for at, word in enumerate(said, 1):
        above, row = row, [at]
        for k, other in enumerate(written, 1):
            row.append(min(above[k] + 1, row[k - 1] + 1, above[k - 1] + (word != other)))
    return row[-1]


def test_what_is_said_is_found_with_its_time(server, bucket, talk):
    video, [first_seconds, second_seconds] = talk
    server.boto3().put_object(Bucket=bucket, Key="talk.mp4", Body=video)
    [status] = server.siltstone("objects", "wait", f"siltstone://{bucket}/talk.mp4", "--timeout", 280)
    assert status["progress"] == "done"
    assert status["steps"]["transcript"]["state"] == "done", status["steps"]["transcript"]

    where = ["--where", '{"kind": "transcript"}', "-k", 1]
    cases = [
        ("what happens to the grains of a river?", 0, first_seconds),
        ("how is bread made?", first_seconds, first_seconds + second_seconds),
    ]
    for (question, start, end), said in zip(cases, SAID):
        [hit] = server.siltstone("query", bucket, "--text", question, *where)["records"]
        metadata = hit["metadata"]
        middle_ms = (metadata["start_ms"] + metadata["end_ms"]) / 2
        assert start * 1_000 < middle_ms < end * 1_000
        assert metadata["object_key"] == "talk.mp4"
        errors = word_errors(words(said), words(hit["document"]))
        print(f"{errors} of {len(words(said))} words wrong: {hit['document']}")
        # The voice is a machine's: on this text one word of ten may be wrong where a person's are all right.
        assert errors <= len(words(said)) / 3

    server.boto3().delete_object(Bucket=bucket, Key="talk.mp4")
    server.siltstone("objects", "wait", f"siltstone://{bucket}/talk.mp4")
    assert server.siltstone("get", bucket)["records"] == []
