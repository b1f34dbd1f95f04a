"""Asks Chroma's Python client for its English stems and its `chroma_bm25` vectors: see run.sh."""

import json
import sys

from chromadb.utils.embedding_functions import ChromaBm25EmbeddingFunction
from chromadb.utils.embedding_functions.schemas.bm25_tokenizer import get_english_stemmer

stems_path, vectors_path = sys.argv[1:]
stemmer = get_english_stemmer()
with open(stems_path) as file:
    stems = [[word, classic, stemmer.stem(word)] for word, classic, _ in json.load(file)]
embed = ChromaBm25EmbeddingFunction()
with open(vectors_path) as file:
    cases = json.load(file)
for case in cases:
    vector = embed([case["text"]])[0]
    case["python"] = {"indices": vector.indices, "values": vector.values}
lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in stems)
with open(stems_path, "w") as file:
    file.write(f"[\n{lines}\n]\n")
lines = ",\n".join(json.dumps(case) for case in cases)
with open(vectors_path, "w") as file:
    file.write(f"[\n{lines}\n]\n")
