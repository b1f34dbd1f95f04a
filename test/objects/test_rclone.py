"""rclone with its default settings for a server that it does not know."""


def test_sync_and_check(server, bucket, tree, tmp_path):
    server.rclone("sync", tree, f"here:{bucket}/tree")
    checked = server.rclone("check", tree, f"here:{bucket}/tree")
    assert "0 differences found" in checked.stderr
    assert "7 matching files" in checked.stderr
    server.rclone("sync", f"here:{bucket}/tree", tmp_path / "back")
    server.rclone("check", tree, tmp_path / "back")


def test_check_finds_a_change(server, bucket, tree):
    server.rclone("copy", tree / "small.txt", f"here:{bucket}")
    server.boto3().put_object(Bucket=bucket, Key="small.txt", Body=b"x" * 12)
    assert "1 differences found" in server.rclone("check", tree, f"here:{bucket}", "--one-way", "--include", "/small.txt", check=False).stderr


def test_move_delete_and_list(server, bucket, tree):
    server.rclone("copy", tree, f"here:{bucket}/a")
    server.rclone("moveto", f"here:{bucket}/a", f"here:{bucket}/b")
    assert sorted(server.rclone("lsf", f"here:{bucket}").stdout.split()) == ["b/"]
    assert len(server.rclone("lsf", "-R", "--files-only", f"here:{bucket}/b").stdout.splitlines()) == 7
    server.rclone("purge", f"here:{bucket}/b")
    assert server.rclone("lsf", f"here:{bucket}").stdout == ""


def test_a_stream_of_unknown_length(server, bucket, tree):
    import subprocess
    from conftest import BIN

    with open(tree / "large.bin", "rb") as source:
        subprocess.run([str(BIN / "rclone"), "rcat", f"here:{bucket}/stream"], stdin=source, env=server.environment, check=True)
    body = server.boto3().get_object(Bucket=bucket, Key="stream")["Body"].read()
    assert body == (tree / "large.bin").read_bytes()


def test_sync_back_and_forth(server, bucket, tmp_path):
    """What changed on one side replaces or deletes what is on the other."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (ours / "sub").mkdir(parents=True)
    (ours / "kept").write_bytes(b"1")
    (ours / "sub/changed").write_bytes(b"old")
    (ours / "sub/deleted").write_bytes(b"x")
    server.rclone("sync", ours, f"here:{bucket}")
    server.rclone("sync", f"here:{bucket}", theirs)
    (theirs / "sub/changed").write_bytes(b"newer")
    (theirs / "sub/deleted").unlink()
    server.rclone("sync", theirs, f"here:{bucket}")
    assert "0 differences found" in server.rclone("check", "--download", theirs, f"here:{bucket}").stderr
    server.rclone("sync", f"here:{bucket}", ours)
    assert (ours / "sub/changed").read_bytes() == b"newer"
    assert not (ours / "sub/deleted").exists()
