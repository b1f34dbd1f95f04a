"""With any huggingface_hub from 0.36 on: a private repository from upload to deletion, and a changed upload."""

import filecmp
import os
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download, snapshot_download

api = HfApi()
name = os.environ["REPOSITORY"]
folder = Path("model")
(folder / "deep/er").mkdir(parents=True)
(folder / "README.md").write_text("---\nlicense: mit\n---\n# Tern\n\nReads sea weather reports.\n")
(folder / "config.json").write_text('{"model_type": "bert"}')
(folder / "deep/er/ünïcode name.txt").write_text("häfen\n" * 100)
(folder / "empty").write_bytes(b"")
weights = folder / "model.safetensors"
weights.write_bytes(os.urandom(12_000_000))

assert api.whoami()["name"] == "ada"
api.create_repo(name, private=True)
first = api.upload_folder(repo_id=name, folder_path=folder, commit_message="first")
assert api.repo_exists(name) and not HfApi(token=os.environ["BEN"]).repo_exists(name)


def compare(place, left=folder):
    files = [each.relative_to(left) for each in left.rglob("*") if each.is_file()]
    matched, wrong, missing = filecmp.cmpfiles(left, place, map(str, files), shallow=False)
    assert not wrong and not missing and len(matched) == len(files), (wrong, missing)


compare(snapshot_download(name))
compare(snapshot_download(name, local_dir="local", cache_dir="other"))
# A part of a changed file, and a file that is gone.
content = weights.read_bytes()
weights.write_bytes(content[:6_000_000] + b"inserted" + content[6_000_000:])
(folder / "empty").unlink()
second = api.upload_folder(repo_id=name, folder_path=folder, commit_message="second", delete_patterns="empty")
assert first.oid != second.oid
compare(snapshot_download(name))
assert "empty" not in api.list_repo_files(name) and "empty" in api.list_repo_files(name, revision=first.oid)
old = hf_hub_download(name, "model.safetensors", revision=first.oid)
assert Path(old).read_bytes() == content
api.create_tag(name, tag="v1", revision=first.oid)
assert [each.name for each in api.list_repo_refs(name).tags] == ["v1"]
assert [each.title for each in api.list_repo_commits(name)][:2] == ["second", "first"]
assert api.model_info(name, files_metadata=True).siblings
api.delete_repo(name)
assert not api.repo_exists(name)
print("done")
