"""The wheel siltstone-embedder: the same numbers as the server's embedder, also within Chroma's client."""
import json
import random
import unicodedata

import numpy as np
import pytest
from siltstone import ROOT
from siltstone_embedder import DIMENSION, embed, token_ids
from siltstone_embedder.chroma import EnglishEmbeddingFunction

CHECKS = json.loads((ROOT / "packages/embedder-english/checks.json").read_text("utf-8"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check["text"][:20] or "empty")
def test_reproduces_the_checks_of_the_model(check):
    assert token_ids(check["text"]) == check["tokenIds"]
    assert np.abs(embed([check["text"]])[0] - np.array(check["vector"])).max() < 1e-5


def strange_texts():
    """Words of many scripts, marks, controls, symbols and lengths. The same in each run."""
    chance = random.Random(7)
    # Letters of Unicode 14, which all versions of Python and Node know alike.
    known = [chr(code) for code in range(1, 0x2FFFF) if not 0xD800 <= code < 0xE000 and unicodedata.category(chr(code)) != "Cn"]
    texts = ["", " ", "\t\n", "İstanbul ΣΑΣ", "e\u0301te\u0301", "x" * 100, "x" * 101, "word " * 300, "$5~a_b", "a\u0000b\ufffdc", "你好world"]
    for _ in range(150):
        pool = known if chance.random() < 0.5 else [chr(code) for code in range(32, 0x250)]
        texts.append("".join(chance.choice(pool) if chance.random() < 0.85 else " " for _ in range(chance.randint(1, 60))))
    return texts


def test_embeds_as_the_server_does(server, client):
    collection = client.create_collection("notes", embedding_function=None)
    texts = strange_texts()
    ids = [f"{i:03}" for i in range(len(texts))]
    path = f"/tenants/default_tenant/databases/{client.database}/collections/{collection.id}/add"
    assert server.request("POST", path, json={"ids": ids, "documents": texts}).status_code == 201
    stored = collection.get(ids=ids, include=["embeddings"])
    by_id = dict(zip(stored["ids"], stored["embeddings"]))
    theirs = np.array([by_id[one] for one in ids])
    assert np.abs(embed(texts) - theirs).max() < 1e-6


def test_is_an_embedding_function_that_the_client_finds_again(client):
    notes = client.create_collection("notes", embedding_function=EnglishEmbeddingFunction())
    notes.add(ids=["a", "b"], documents=["Silt settles slowly.", "Rivers carry sand."])
    again = client.get_collection("notes")
    assert again.query(query_texts=["What do streams transport?"], n_results=1)["ids"] == [["b"]]
    assert again.configuration_json["embedding_function"]["name"] == "siltstone-english"


def test_refuses_what_is_no_list_of_texts():
    for wrong in ("one text", [1], [None]):
        with pytest.raises(TypeError):
            embed(wrong)
    assert embed([]).shape == (0, DIMENSION)
    with pytest.raises(ValueError, match="siltstone-english-9"):
        EnglishEmbeddingFunction.build_from_config({"model": "siltstone-english-9"})
