"""Siltstone's default English embedder: token vectors, averaged and scaled to unit length."""
from ._model import DIMENSION, MODEL, embed, token_ids

__all__ = ["DIMENSION", "MODEL", "embed", "token_ids"]
