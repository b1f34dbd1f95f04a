"""datasets: load_dataset of files, streamed and not, with a configuration in the card; push_to_hub and back."""

from pathlib import Path

from datasets import Dataset, load_dataset
from huggingface_hub import HfApi

folder = Path("gales")
(folder / "data").mkdir(parents=True)
(folder / "README.md").write_text(
    "---\nlicense: cc-by-4.0\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train.csv\n"
    "  - split: test\n    path: data/test.csv\n---\n# Gales\n"
)
(folder / "data/train.csv").write_text("text,label\n" + "".join(f"report {i},{i % 3}\n" for i in range(1_000)))
(folder / "data/test.csv").write_text("text,label\nreport x,1\n")

api = HfApi()
api.create_repo("ada/gales", repo_type="dataset", private=True)
api.upload_folder(repo_id="ada/gales", repo_type="dataset", folder_path=folder)
loaded = load_dataset("ada/gales")
assert {name: len(split) for name, split in loaded.items()} == {"train": 1_000, "test": 1}
assert loaded["train"][999] == {"text": "report 999", "label": 0}
streamed = load_dataset("ada/gales", split="train", streaming=True)
assert sum(1 for _ in streamed) == 1_000
numbers = Dataset.from_dict({"n": list(range(5_000)), "word": [f"w{n}" for n in range(5_000)]})
numbers.push_to_hub("ada/numbers", private=True)
numbers.select(range(10)).push_to_hub("ada/numbers", split="small")
again = load_dataset("ada/numbers")
assert {name: len(split) for name, split in again.items()} == {"train": 5_000, "small": 10}
assert again["train"][4_999] == {"n": 4_999, "word": "w4999"}
print("done")
