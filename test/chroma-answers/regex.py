"""Writes what Chroma answers for each pattern of cases.py and each text: see run.sh."""

import json
import sys

import chromadb
from chromadb.errors import ChromaError

from cases import PATTERNS, TEXTS


def matches(collection, operator, pattern):
    """A number whose bit i tells whether text i is an answer."""
    found = collection.get(where_document={operator: pattern}, include=[])["ids"]
    return sum(1 << int(id) for id in found)


def answer(collection, pattern):
    try:
        found = matches(collection, "$regex", pattern)
        others = matches(collection, "$not_regex", pattern)
    except ChromaError as error:
        return str(error)
    if found ^ others != (1 << len(TEXTS)) - 1:
        raise AssertionError(f"$regex and $not_regex of {pattern!r} are no complements")
    return found


def main(path):
    collection = chromadb.EphemeralClient().create_collection("texts")
    collection.add(ids=[str(i) for i in range(len(TEXTS))], documents=TEXTS, embeddings=[[1.0]] * len(TEXTS))
    answers = []
    for pattern in PATTERNS:
        found = answer(collection, pattern)
        answers.append([pattern, {"error": found} if isinstance(found, str) else format(found, "x")])
    lines = ",\n".join(json.dumps(one, ensure_ascii=True) for one in answers)
    texts = json.dumps(TEXTS, ensure_ascii=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(f'{{"chroma":"{chromadb.__version__}",\n"texts":{texts},\n"answers":[\n{lines}\n]}}\n')
    errors = sum(isinstance(found, dict) for _, found in answers)
    print(f"{len(answers)} patterns ({errors} refused) with {len(TEXTS)} texts")


main(sys.argv[1])
