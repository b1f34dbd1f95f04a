from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib.resources import files

import numpy as np

from ._tokens import WordPiece

DIMENSION = 256
#: Changes with the weights or the tokeniser: vectors of another model are not comparable.
MODEL = "siltstone-english-1"


class _Model:
    def __init__(self) -> None:
        folder = files(__package__) / "model"
        self.word_piece = WordPiece((folder / "vocab.txt").read_text("utf-8"))
        self.scales = np.frombuffer((folder / "scales.f32").read_bytes(), dtype="<f4")
        self.vectors = np.frombuffer((folder / "vectors.i8").read_bytes(), dtype=np.int8).reshape(-1, DIMENSION)

    def embed(self, text: str) -> np.ndarray:
        ids = self.word_piece.encode(text)
        # In 64 bits, so that the order of the tokens does not matter.
        total = self.scales[ids].astype(np.float64) @ self.vectors[ids].astype(np.float64)
        length = np.sqrt(total @ total)
        return (total / length if length > 0 else total).astype(np.float32)


@functools.lru_cache(maxsize=1)
def _model() -> _Model:
    return _Model()


def embed(texts: Sequence[str]) -> np.ndarray:
    """Embeds each text.

    :returns: float32 of shape ``(len(texts), 256)``: rows of unit length, zero for a text without a token
    :raises TypeError: when ``texts`` is one string, or holds something else than strings
    """
    if isinstance(texts, str):
        raise TypeError("texts is one string: give a list of strings")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{i}] is {type(text).__name__}: give strings")
    if len(texts) == 0:
        return np.zeros((0, DIMENSION), dtype=np.float32)
    return np.stack([_model().embed(text) for text in texts])


def token_ids(text: str) -> list[int]:
    """The ids of a text's tokens, at most 256."""
    return _model().word_piece.encode(text)
