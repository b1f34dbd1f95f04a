"""Objects become searchable, through the S3 face and whatever kills the server."""

import collections
import io
import json
import subprocess

from conftest import Server
from PIL import Image, ImageDraw, ImageFont


def statuses(server, bucket):
    return {one["key"]: one for one in server.siltstone("objects", "wait", f"siltstone://{bucket}/", "--timeout", 240)}


def documents(server, bucket):
    """Documents of all records by the key of their object."""
    found = collections.defaultdict(list)
    for record in server.siltstone("get", bucket, "--limit", 1000)["records"]:
        found[record["metadata"]["object_key"]].append(record["document"])
    return found


def test_uploads_are_searchable_until_they_are_deleted(server, bucket, tmp_path):
    (tmp_path / "rivers.md").write_text("# Rivers\n\nWhere the current slackens, a river lets its mud fall.\n")
    (tmp_path / "page.bin").write_text("<html><body><h1>Bread</h1><p>Knead flour, water and salt.</p></body></html>")
    (tmp_path / "locked.pdf").write_bytes(b"%PDF-1.7\nnothing of a PDF follows\n")
    server.aws("s3", "cp", tmp_path, f"s3://{bucket}/up/", "--recursive")
    found = statuses(server, bucket)
    assert {key: one["progress"] for key, one in found.items()} == {
        "up/rivers.md": "done",
        "up/page.bin": "done",
        "up/locked.pdf": "dead",
    }
    assert found["up/locked.pdf"]["error"]["code"] == "corrupt-file"
    hits = server.siltstone("query", bucket, "--text", "why do streams drop sediment?", "-k", 1)
    [hit] = hits["records"]
    assert hit["metadata"]["object_key"] == "up/rivers.md"

    (tmp_path / "rivers.md").write_text("# Glaciers\n\nIce carves valleys.\n")
    server.aws("s3", "cp", tmp_path / "rivers.md", f"s3://{bucket}/up/rivers.md")
    statuses(server, bucket)
    assert documents(server, bucket)["up/rivers.md"] == ["Ice carves valleys."]

    server.boto3().delete_object(Bucket=bucket, Key="up/rivers.md")
    server.siltstone("objects", "wait", f"siltstone://{bucket}/up/rivers.md")
    assert sorted(documents(server, bucket)) == ["up/page.bin"]


def picture_of(lines):
    """Lines of text as somebody would photograph them."""
    picture = Image.new("RGB", (1200, 120 + 90 * len(lines)), "white")
    for n, line in enumerate(lines):
        ImageDraw.Draw(picture).text((60, 60 + 90 * n), line, fill="black", font=ImageFont.load_default(size=44))
    return picture


def test_text_in_pictures_and_on_scanned_pages_is_found(server, bucket):
    def saved(pages, kind, **options):
        content = io.BytesIO()
        pages[0].save(content, kind, **options)
        return content.getvalue()

    sign = picture_of(["The ferry to the island leaves at noon.", "Dogs travel free of charge."])
    pages = [picture_of(["Minutes of the meeting", "Ada opened the meeting."]), picture_of(["The harbour will be dredged", "in the coming spring."])]
    server.boto3().put_object(Bucket=bucket, Key="sign", Body=saved([sign], "JPEG"))
    server.boto3().put_object(Bucket=bucket, Key="scan", Body=saved(pages, "PDF", save_all=True, append_images=pages[1:]))
    found = statuses(server, bucket)
    assert {key: one["steps"]["ocr"]["state"] for key, one in found.items()} == {"sign": "done", "scan": "done"}, found
    for question, key, place, text in [
        ("when does the ferry to the island leave?", "sign", {}, "The ferry to the island leaves at noon."),
        ("what happens to the port?", "scan", {"page": 2}, "The harbour will be dredged in the coming spring."),
    ]:
        [hit] = server.siltstone("query", bucket, "--text", question, "-k", 1)["records"]
        assert text in hit["document"]
        assert {"object_key": key, **place}.items() <= hit["metadata"].items()


def test_a_worker_over_a_bucket_of_s3(server, tmp_path):
    """The S3 face stands for any S3: the worker reaches the bucket by S3 alone, and its records are in a store of its own."""
    server.boto3().create_bucket(Bucket="elsewhere")
    server.boto3().put_object(Bucket="elsewhere", Key="a b+ü.txt", Body=b"Lava cools to basalt.")

    def siltstone(*arguments):
        command = [*server.command, "objects", *arguments, "--data", str(tmp_path / "records"), "--json"]
        done = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    assert siltstone("work", "s3://elsewhere/", "--once") == {"settled": 1, "waiting": 0}
    [status] = siltstone("status", "s3://elsewhere/")
    assert (status["key"], status["progress"], status["records"]) == ("a b+ü.txt", "done", 1)
    server.boto3().delete_object(Bucket="elsewhere", Key="a b+ü.txt")
    assert siltstone("work", "s3://elsewhere/", "--once") == {"settled": 1, "waiting": 0}
    assert siltstone("status", "s3://elsewhere/") == []


def test_a_server_that_is_killed_loses_nothing_and_doubles_nothing(tmp_path):
    expected = {f"f/{n}.txt": f"Passage number {n}." for n in range(30)}
    server = Server(tmp_path)
    try:
        server.boto3().create_bucket(Bucket="killed")
        for key, text in expected.items():
            server.boto3().put_object(Bucket="killed", Key=key, Body=text.encode())
        server.kill()
        server = Server(tmp_path)
        for n in range(5):
            key = f"f/{n}.txt"
            server.boto3().put_object(Bucket="killed", Key=key, Body=b"Replaced.")
            expected[key] = "Replaced."
        for n in range(25, 30):
            server.boto3().delete_object(Bucket="killed", Key=f"f/{n}.txt")
            del expected[f"f/{n}.txt"]
        server.kill()
        server = Server(tmp_path)
        assert {one["progress"] for one in statuses(server, "killed").values()} <= {"done", "gone"}
        assert documents(server, "killed") == {key: [text] for key, text in expected.items()}
    finally:
        server.stop()
