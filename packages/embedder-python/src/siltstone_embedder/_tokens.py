"""Texts into words, and words into the pieces of a vocabulary: BERT's uncased normaliser and WordPiece.

Devlin et al., 2018, as Hugging Face's ``tokenizers`` implements them.
"""
from __future__ import annotations

import unicodedata

MAX_TOKENS = 256
#: Longer words are unknown. Counted in code points.
MAX_WORD_CHARACTERS = 100
_UNKNOWN = "[UNK]"
_DROPPED = {"Cc", "Cf", "Co", "Cs"}
#: The blocks that BERT lists; neither all of Han nor kana nor hangul.
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


def _is_kept(character: str) -> bool:
    if character in "\t\n\r":
        return True
    return character != "\ufffd" and unicodedata.category(character) not in _DROPPED


def _spaced(character: str) -> str:
    code = ord(character)
    is_ideograph = code >= 0x3400 and any(first <= code <= last for first, last in _IDEOGRAPHS)
    return f" {character} " if is_ideograph else character


def _is_punctuation(character: str) -> bool:
    """ASCII symbols such as ``$`` count as punctuation, other symbols do not."""
    if character < "\x80":
        return character.isprintable() and character != " " and not character.isalnum()
    return unicodedata.category(character)[0] == "P"


def words(text: str) -> list[str]:
    spaced = "".join(_spaced(one) for one in text if _is_kept(one))
    plain = "".join(one for one in unicodedata.normalize("NFD", spaced) if unicodedata.category(one) != "Mn")
    # lower() would write a final sigma by context; each character is lower-cased alone.
    found: list[str] = []
    word: list[str] = []
    for character in plain.replace("\u03a3", "\u03c3").lower():
        if not character.isspace() and not _is_punctuation(character):
            word.append(character)
            continue
        if word:
            found.append("".join(word))
            word = []
        if not character.isspace():
            found.append(character)
    if word:
        found.append("".join(word))
    return found


class WordPiece:
    """Splits words, longest match first."""

    def __init__(self, vocabulary: str) -> None:
        self._starts: dict[str, int] = {}
        self._continuations: dict[str, int] = {}
        for token_id, token in enumerate(vocabulary.split("\n")[:-1]):
            continues = len(token) > 2 and token.startswith("##")
            (self._continuations if continues else self._starts)[token[2:] if continues else token] = token_id
        self.unknown = self._starts[_UNKNOWN]
        self._longest = max(map(len, (*self._starts, *self._continuations)))

    def split(self, word: str) -> list[int]:
        if word in self._starts:
            return [self._starts[word]]
        if len(word) > MAX_WORD_CHARACTERS:
            return [self.unknown]
        ids: list[int] = []
        start = 0
        while start < len(word):
            pieces = self._starts if start == 0 else self._continuations
            for end in range(min(len(word), start + self._longest), start, -1):
                if word[start:end] in pieces:
                    ids.append(pieces[word[start:end]])
                    start = end
                    break
            else:
                return [self.unknown]
        return ids

    def encode(self, text: str) -> list[int]:
        """The ids of the first ``MAX_TOKENS`` tokens."""
        ids: list[int] = []
        for word in words(text):
            ids.extend(self.split(word))
            if len(ids) >= MAX_TOKENS:
                return ids[:MAX_TOKENS]
        return ids
