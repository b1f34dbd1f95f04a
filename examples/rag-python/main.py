"""Retrieval-augmented generation with Chroma's Python client and a Siltstone server."""
import json
import os
import pathlib
import sys
from urllib.parse import urlsplit

import chromadb
from siltstone_embedder.chroma import EnglishEmbeddingFunction

HERE = pathlib.Path(__file__).parent
url = urlsplit(os.environ.get("SILTSTONE_URL", "http://127.0.0.1:8000"))
client = chromadb.HttpClient(host=url.hostname, port=url.port, settings=chromadb.Settings(anonymized_telemetry=False))


def generate(prompt):
    """Put your model here. Without one, the example tells what it would send."""
    return f"A model would get {len(prompt.splitlines())} lines."


docs = client.get_or_create_collection("handbook", embedding_function=EnglishEmbeddingFunction())
passages = json.loads((HERE / "passages.json").read_text("utf-8"))
docs.upsert(
    ids=[one["id"] for one in passages],
    documents=[one["text"] for one in passages],
    metadatas=[{"source": one["source"]} for one in passages],
)
for question in sys.argv[1:] or ["How long may I return a parcel?", "When does my order leave?"]:
    found = docs.query(query_texts=[question], n_results=2)
    print(f"Question: {question}")
    for text, metadata in zip(found["documents"][0], found["metadatas"][0]):
        print(f"  [{metadata['source']}] {text}")
    context = "\n".join(found["documents"][0])
    print("  " + generate(f"Answer from these passages only.\n\n{context}\n\nQuestion: {question}"))
