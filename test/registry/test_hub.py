"""huggingface_hub and `hf`, unchanged, with HF_ENDPOINT alone."""

import contextlib
import filecmp
import json
import os

NO_XET = {"HF_HUB_DISABLE_XET": "1"}


def same(left, right):
    compared = filecmp.dircmp(left, right, ignore=[".cache", ".gitattributes"])
    return not (compared.left_only or compared.right_only or compared.diff_files or compared.subdirs["extra"].diff_files)


def stored_bytes(folder):
    """Of all files; the server may delete some meanwhile."""
    sizes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                sizes += os.stat(os.path.join(parent, name)).st_size
    return sizes


def test_a_folder_goes_up_and_comes_down_again(registry, home, model, tmp_path):
    assert "ada" in registry.hf("auth", "whoami", home=home).stdout
    registry.hf("upload", "tern", model, "--private", home=home, **NO_XET)
    registry.hf("download", "ada/tern", "--local-dir", tmp_path / "out", home=tmp_path / "other", **NO_XET)
    assert same(model, tmp_path / "out")
    one = registry.hf("download", "ada/tern", "config.json", home=home).stdout.strip()
    assert one.endswith("config.json")
    # Somebody else does not see it.
    refused = registry.hf("download", "ada/tern", home=tmp_path / "ben", check=False, HF_TOKEN=registry.ben)
    assert refused.returncode != 0 and "not found" in refused.stderr.lower()
    found = registry.call("POST", "/artifact/byRegEx", {"regex": "sea weather"})
    assert [each["name"] for each in found] == ["tern"]
    rating = registry.call("GET", f"/artifact/model/{found[0]['id']}/rate")
    assert rating["license"] == 1 and rating["category"] == "text-classification"


def test_large_files_go_by_xet_and_only_what_changed_goes_again(registry, home, model, tmp_path):
    big = model / "extra" / "optimizer.bin"
    (model / "text.txt").write_text("".join(f"line {i} of a text that shrinks\n" for i in range(400_000)))
    registry.hf("upload", "ada/xet", model, home=home)
    xorbs = registry.folder / "data" / "registry" / "xorbs"
    stored = lambda: sum(each.stat().st_size for each in xorbs.rglob("*") if each.is_file())
    before = stored()
    # In a bucket they are no files.
    assert not registry.is_local or before > 11_000_000
    bytes_before = big.read_bytes()
    big.write_bytes(bytes_before[:5_000_000] + b"inserted" + bytes_before[5_000_000:])
    registry.hf("upload", "ada/xet", model, home=home)
    assert stored() - before < 1_000_000
    registry.hf("download", "ada/xet", "--local-dir", tmp_path / "out", home=tmp_path / "other")
    assert same(model, tmp_path / "out")


def test_another_machine_sends_and_stores_only_what_changed(registry, home, tmp_path):
    # In a bucket they are no files.
    stored = lambda: stored_bytes(registry.folder / "data" / "registry")
    weights = tmp_path / "weights.bin"
    content = bytearray(os.urandom(30_000_000))
    weights.write_bytes(content)
    registry.hf("upload", "ada/machines", weights, "weights.bin", home=home)
    before = stored()
    content[9_000_000:9_300_000] = os.urandom(300_000) + b"inserted"
    weights.write_bytes(content)
    # Another user, who may read the repository, from a machine that knows nothing.
    registry.hf("upload", "ben/machines", weights, "weights.bin", home=tmp_path / "ben", HF_TOKEN=registry.ben)
    assert stored() - before < 0.05 * len(content), stored() - before
    registry.hf("download", "ben/machines", "--local-dir", tmp_path / "out", home=tmp_path / "third")
    assert (tmp_path / "out" / "weights.bin").read_bytes() == content
    # What is private is not told to others: they send all of it.
    content = os.urandom(12_000_000)
    weights.write_bytes(content)
    registry.hf("upload", "ada/hidden", weights, "weights.bin", "--private", home=home)
    before = stored()
    registry.hf("upload", "ben/machines", weights, "weights.bin", home=tmp_path / "other", HF_TOKEN=registry.ben)
    assert not registry.is_local or stored() - before > 10_000_000


def test_files_up_to_ten_megabytes_need_no_setting(registry, home, model):
    (model / "extra" / "optimizer.bin").unlink()
    registry.hf("upload", "ada/small", model, home=home)
    first = registry.python("from huggingface_hub import HfApi; print(HfApi().model_info('ada/small').sha)", home)
    # Nothing has changed, so nothing is committed.
    registry.hf("upload", "ada/small", model, home=home)
    again = registry.python("from huggingface_hub import HfApi; print(HfApi().model_info('ada/small').sha)", home)
    assert first == again
    (model / "config.json").write_text("{}")
    registry.hf("upload", "ada/small", model, home=home)
    log = "from huggingface_hub import HfApi; print(len(HfApi().list_repo_commits('ada/small')))"
    assert registry.python(log, home) == "3"


def test_the_library(registry, home, model):
    script = """
import json
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

api = HfApi()
repo = api.create_repo("ada/library", repo_type="dataset", private=True).repo_id
try:
    api.create_repo("ada/library", repo_type="dataset")
    raise SystemExit("it was made twice")
except HfHubHTTPError as error:
    assert error.response.status_code == 409
api.create_repo("ada/library", repo_type="dataset", exist_ok=True)
of = {"repo_id": repo, "repo_type": "dataset"}
api.upload_file(path_or_fileobj=b"a,b\\n1,2\\n", path_in_repo="data/train.csv", **of)
operations = [
    CommitOperationAdd("more.txt", b"x" * 100),
    CommitOperationCopy(src_path_in_repo="data/train.csv", path_in_repo="copy.csv"),
    CommitOperationDelete("data/"),
]
api.create_commit(operations=operations, commit_message="three things", **of)
assert api.list_repo_files(**of) == [".gitattributes", "copy.csv", "more.txt"], api.list_repo_files(**of)
api.create_tag(tag="v1", **of)
api.create_branch(branch="dev", **of)
api.delete_file("more.txt", **of)
refs = api.list_repo_refs(**of)
assert [each.name for each in refs.tags] == ["v1"] and sorted(each.name for each in refs.branches) == ["dev", "main"]
assert "more.txt" in api.list_repo_files(revision="v1", **of)
assert open(hf_hub_download(filename="copy.csv", revision="v1", **of)).read() == "a,b\\n1,2\\n"
assert len(list(api.list_repo_tree(recursive=True, **of))) == 2
assert [each.size for each in api.get_paths_info(paths=["copy.csv", "none"], **of)] == [8]
assert api.file_exists(filename="copy.csv", **of) and not api.file_exists(filename="none", **of)
assert [each.id for each in api.list_datasets(search="libr")] == [repo]
snapshot_download(**of)
for expected, work in [
    (EntryNotFoundError, lambda: hf_hub_download(filename="none", **of)),
    (RevisionNotFoundError, lambda: api.dataset_info(repo, revision="none")),
    (RepositoryNotFoundError, lambda: api.dataset_info("ada/none")),
]:
    try:
        work()
        raise SystemExit(f"no {expected}")
    except expected:
        pass
stale = api.list_repo_commits(**of)[-1].commit_id
try:
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x", parent_commit=stale, **of)
    raise SystemExit("a stale parent was accepted")
except HfHubHTTPError as error:
    assert error.response.status_code == 412
api.update_repo_settings(private=False, **of)
assert not api.dataset_info(repo).private
api.delete_repo(**of)
assert not api.repo_exists(**of)
print("done")
"""
    assert registry.python(script, home) == "done"


def test_an_interrupted_download_goes_on(registry, home, model, tmp_path):
    registry.hf("upload", "ada/resumed", model, home=home, **NO_XET)
    script = """
import os
from huggingface_hub import hf_hub_download
from huggingface_hub.file_download import http_get
url = os.environ["HF_ENDPOINT"] + "/ada/resumed/resolve/main/extra/optimizer.bin"
headers = {"authorization": "Bearer " + os.environ["HF_TOKEN"]}
with open("part", "wb") as file:
    file.write(open(os.environ["WHOLE"], "rb").read()[:5_000_000])
    http_get(url, file, resume_size=5_000_000, headers=headers, expected_size=11_000_000)
assert open("part", "rb").read() == open(os.environ["WHOLE"], "rb").read()
print("done")
"""
    whole = str(model / "extra" / "optimizer.bin")
    script = f"import os; os.chdir({json.dumps(str(tmp_path))})\n" + script
    assert registry.python(script, home, WHOLE=whole, **NO_XET).endswith("done")
