"""The AWS CLI with its default settings."""

import filecmp
import json
import re
import urllib.request


def same(left, right):
    comparison = filecmp.dircmp(left, right, ignore=[])
    assert (comparison.left_only, comparison.right_only) == ([], [])
    _, mismatch, errors = filecmp.cmpfiles(left, right, comparison.common_files, shallow=False)
    assert (mismatch, errors) == ([], [])
    for name in comparison.common_dirs:
        same(left / name, right / name)


def test_sync_there_and_back(server, bucket, tree, tmp_path):
    server.aws("s3", "sync", tree, f"s3://{bucket}/tree/")
    assert server.aws("s3", "sync", tree, f"s3://{bucket}/tree/").stdout == ""
    server.aws("s3", "sync", f"s3://{bucket}/tree/", tmp_path / "back")
    same(tree, tmp_path / "back")
    listed = server.aws("s3", "ls", f"s3://{bucket}/tree/", "--recursive").stdout
    assert "cödé 日本.bin" in listed and len(listed.splitlines()) == 7


def test_multipart_of_40_mb(server, bucket, tree, tmp_path):
    server.aws("s3", "cp", tree / "large.bin", f"s3://{bucket}/large.bin")
    head = json.loads(server.aws("s3api", "head-object", "--bucket", bucket, "--key", "large.bin").stdout)
    assert head["ContentLength"] == 40 * 1024 * 1024
    assert head["ETag"].endswith('-5"')
    server.aws("s3", "cp", f"s3://{bucket}/large.bin", tmp_path / "large.bin")
    assert filecmp.cmp(tree / "large.bin", tmp_path / "large.bin", shallow=False)


def test_copy_move_and_remove(server, bucket, tree):
    server.aws("s3", "cp", tree / "a+b c.txt", f"s3://{bucket}/one")
    server.aws("s3", "cp", f"s3://{bucket}/one", f"s3://{bucket}/two")
    server.aws("s3", "mv", f"s3://{bucket}/two", f"s3://{bucket}/three")
    assert server.aws("s3", "ls", f"s3://{bucket}/").stdout.split()[3::4] == ["one", "three"]
    server.aws("s3", "rm", f"s3://{bucket}/", "--recursive")
    assert server.aws("s3", "ls", f"s3://{bucket}/").stdout == ""
    server.aws("s3", "rb", f"s3://{bucket}")


def test_presigned_url_and_its_end(server, bucket, tree):
    server.aws("s3", "cp", tree / "small.txt", f"s3://{bucket}/p q")
    url = server.aws("s3", "presign", f"s3://{bucket}/p q", "--expires-in", "60").stdout.strip()
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == (tree / "small.txt").read_bytes()
    try:
        urllib.request.urlopen(re.sub("Expires=[0-9]+", "Expires=9999999999", url))
        raise AssertionError("a changed URL was accepted")
    except urllib.error.HTTPError as error:
        assert error.code == 403


def test_range_and_streams(server, bucket, tree, tmp_path):
    server.aws("s3", "cp", tree / "large.bin", f"s3://{bucket}/r")
    part = tmp_path / "part"
    server.aws("s3api", "get-object", "--bucket", bucket, "--key", "r", "--range", "bytes=8388600-8388699", part)
    assert part.read_bytes() == (tree / "large.bin").read_bytes()[8388600:8388700]


def test_an_error_says_what_is_wrong(server, bucket):
    done = server.aws("s3", "cp", f"s3://{bucket}/none", "-", check=False)
    assert done.returncode != 0
    assert "404" in done.stderr or "NoSuchKey" in done.stderr
    done = server.aws("s3api", "get-bucket-policy", "--bucket", bucket, check=False)
    assert "NotImplemented" in done.stderr


def test_sync_deletes_what_is_gone(server, bucket, tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (ours / "a b+c").mkdir(parents=True)
    for name in ["one", "two", "a b+c/ü é.txt"]:
        (ours / name).write_text(name)
    server.aws("s3", "sync", ours, f"s3://{bucket}/p")
    (ours / "two").unlink()
    server.aws("s3", "sync", ours, f"s3://{bucket}/p", "--delete")
    server.aws("s3", "sync", f"s3://{bucket}/p", f"s3://{bucket}/q")
    (theirs / "extra").mkdir(parents=True)
    (theirs / "extra/file").write_text("extra")
    server.aws("s3", "sync", f"s3://{bucket}/q", theirs, "--delete")
    (theirs / "extra").rmdir()
    same(ours, theirs)
    key = "../..//odd key?&="
    server.aws("s3api", "put-object", "--bucket", bucket, "--key", key, "--body", ours / "one", "--metadata", "a=b")
    head = json.loads(server.aws("s3api", "head-object", "--bucket", bucket, "--key", key).stdout)
    assert (head["ContentLength"], head["Metadata"]) == (3, {"a": "b"})
