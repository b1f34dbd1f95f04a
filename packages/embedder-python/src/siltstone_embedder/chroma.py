"""The embedder as an embedding function of Chroma's Python client."""
from __future__ import annotations

from typing import Any

import numpy as np
from chromadb import Documents, EmbeddingFunction, Embeddings
from chromadb.utils.embedding_functions import register_embedding_function

from ._model import MODEL, embed


@register_embedding_function
class EnglishEmbeddingFunction(EmbeddingFunction[Documents]):
    """The client finds it again by the name in a collection's configuration, once this module is imported."""

    def __init__(self) -> None:
        pass

    def __call__(self, input: Documents) -> Embeddings:
        return [np.asarray(vector, dtype=np.float32) for vector in embed(list(input))]

    @staticmethod
    def name() -> str:
        return "siltstone-english"

    def default_space(self) -> str:
        return "cosine"

    def supported_spaces(self) -> list[str]:
        return ["cosine", "l2", "ip"]

    def get_config(self) -> dict[str, Any]:
        return {"model": MODEL}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> "EnglishEmbeddingFunction":
        model = config.get("model", MODEL)
        if model != MODEL:
            raise ValueError(f"the collection's vectors are of the model {model}, and this version has {MODEL}")
        return EnglishEmbeddingFunction()
