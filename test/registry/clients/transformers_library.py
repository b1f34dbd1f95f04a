"""transformers without a framework: configuration and tokenizer; the weights by safetensors."""

from pathlib import Path

import numpy
from huggingface_hub import HfApi, hf_hub_download
from safetensors.numpy import load_file, save_file
from transformers import AutoConfig, AutoTokenizer, BertConfig, BertTokenizerFast

folder = Path("bert")
folder.mkdir()
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sea", "weather", "reports", "##s"]
(folder / "vocab.txt").write_text("\n".join(words))
BertConfig(vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64).save_pretrained(folder)
BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
tensors = {"embeddings": numpy.arange(len(words) * 32, dtype=numpy.float32).reshape(len(words), 32)}
save_file(tensors, folder / "model.safetensors")

api = HfApi()
api.create_repo("ada/bert", private=True)
first = api.upload_folder(repo_id="ada/bert", folder_path=folder).oid
for revision in [{}, {"revision": "main"}, {"revision": first}]:
    config = AutoConfig.from_pretrained("ada/bert", **revision)
    assert (config.model_type, config.hidden_size) == ("bert", 32)
    tokenizer = AutoTokenizer.from_pretrained("ada/bert", **revision)
    assert tokenizer.tokenize("sea weather reports") == ["sea", "weather", "reports"]
loaded = load_file(hf_hub_download("ada/bert", "model.safetensors"))
assert (loaded["embeddings"] == tensors["embeddings"]).all()
# The other direction.
config.push_to_hub("ada/pushed")
assert AutoConfig.from_pretrained("ada/pushed").hidden_size == 32
print("done")
