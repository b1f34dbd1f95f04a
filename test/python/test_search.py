"""Search and schemas of the unchanged Python client, over the log and over a snapshot."""
import math

import pytest
from chromadb import K, Knn, Rrf, Schema, Search
from chromadb.api.types import (
    IntInvertedIndexConfig,
    SparseEmbeddingFunction,
    SparseVector,
    SparseVectorIndexConfig,
    VectorIndexConfig,
)
from chromadb.errors import InvalidArgumentError
from chromadb.execution.expression import GroupBy, MaxK, MinK, Val
from chromadb.utils.embedding_functions import register_sparse_embedding_function
from siltstone import compact

DOCUMENTS = {"a": "one fig", "b": "an apple", "c": "strawberries", "d": "fig fig fig"}
VECTORS = [[7.0, 3.0], [8.0, 3.0], [12.0, 3.0], [11.0, 3.0]]


@register_sparse_embedding_function
class Lengths(SparseEmbeddingFunction):
    """A word has the dimension of its length."""

    def __init__(self):
        pass

    def __call__(self, input):
        lengths = [sorted({len(word) for word in text.split()}) for text in input]
        return [SparseVector(indices=one, values=[length / 8 for length in one]) for one in lengths]

    @staticmethod
    def name():
        return "lengths"

    @staticmethod
    def build_from_config(config):
        return Lengths()

    def get_config(self):
        return {}


def words_schema(**config):
    return (
        Schema()
        .create_index(config=VectorIndexConfig(space="l2"))
        .create_index(
            config=SparseVectorIndexConfig(source_key=K.DOCUMENT, embedding_function=Lengths(), **config), key="words"
        )
    )


@pytest.fixture(params=["log", "snapshot", "both"])
def filled(request, client, server):
    things = client.create_collection("things", schema=words_schema(bm25=True), embedding_function=None)
    metadatas = [{"year": 2001, "kind": "x"}, {"year": 1999, "kind": "x"}, {"year": 2020, "kind": "y"}, {"year": 2021}]
    add = lambda at: things.add(
        ids=list(DOCUMENTS)[at], documents=list(DOCUMENTS.values())[at], metadatas=metadatas[at], embeddings=VECTORS[at]
    )
    if request.param == "both":
        add(slice(0, 2))
        compact(server.data)
        add(slice(2, 4))
    else:
        add(slice(0, 4))
        if request.param == "snapshot":
            compact(server.data)
    return things


def test_filter_rank_limit_select(filled):
    search = (
        Search()
        .where((K("year") > 2000) & K.DOCUMENT.contains("fig"))
        .rank(Knn(query=[8, 3]))
        .limit(10)
        .select(K.DOCUMENT, K.SCORE, "year")
    )
    assert filled.search(search).rows() == [
        [
            {"id": "a", "document": "one fig", "score": 1.0, "metadata": {"year": 2001}},
            {"id": "d", "document": "fig fig fig", "score": 9.0, "metadata": {"year": 2021}},
        ]
    ]
    result = filled.search([Search().limit(1, offset=1).select_all(), Search()])
    assert result["ids"] == [["b"], ["a", "b", "c", "d"]]
    assert result["metadatas"][0][0]["words"] == SparseVector(indices=[2, 5], values=[0.25, 0.625])
    assert result["scores"] == [[0.0], None]
    assert filled.search(Search().where(K.ID.is_in(["d", "b", "nobody"])))["ids"] == [["b", "d"]]


def test_sparse_texts_are_embedded_by_the_client_and_weighted_by_the_server(filled):
    result = filled.search(Search().rank(Knn(query="fig", key="words")).select(K.SCORE))
    assert result["ids"] == [["a", "d"]]
    expected = 1 - math.log1p((4 - 2 + 0.5) / (2 + 0.5)) * 9 / 64
    assert result["scores"][0] == pytest.approx([expected, expected], abs=1e-6)
    filled.delete(ids=["a"])
    result = filled.search(Search().rank(Knn(query="fig", key="words")).select(K.SCORE))
    assert result["scores"][0] == pytest.approx([1 - math.log1p((3 - 1 + 0.5) / 1.5) * 9 / 64], abs=1e-6)


def test_fusion(filled):
    dense = dict(query=[8, 3], limit=2, return_rank=True)
    words = dict(query="strawberries fig", key="words", return_rank=True)
    both = filled.search(Search().rank(Rrf(ranks=[Knn(**dense), Knn(**words)])))
    assert both["ids"] == [["a"]]
    any_of = Rrf(ranks=[Knn(**dense, default=100), Knn(**words, default=100)], weights=[2, 1], normalize=True)
    result = filled.search(Search().rank(any_of).select(K.SCORE))
    assert result["ids"][0][0] == "a" and len(result["ids"][0]) == 4
    assert result["scores"][0] == sorted(result["scores"][0])


def test_arithmetic_and_groups(filled):
    rank = ((Knn(query=[8, 3], limit=3) * 0.5 + 1 - 0.5) / 2).abs().exp().log().max(0.5).min(3) * -1
    result = filled.search(Search().rank(rank).select(K.SCORE))
    assert result["ids"] == [["d", "a", "b"]]
    assert result["scores"][0] == pytest.approx([-2.5, -0.5, -0.5])
    assert filled.search(Search().rank(Val(1)))["ids"] == [[]]
    best = lambda aggregate: filled.search(
        Search().rank(Knn(query=[0, 0])).group_by(GroupBy(keys=[K("kind")], aggregate=aggregate)).limit(10)
    )["ids"]
    assert best(MinK(keys=[K.SCORE], k=1)) == [["a", "d", "c"]]
    assert best(MaxK(keys=[K("year")], k=1)) == [["a", "d", "c"]]
    assert best(MinK(keys=[K("year"), K.SCORE], k=1)) == [["b", "d", "c"]]


def test_refusals(filled):
    with pytest.raises(InvalidArgumentError, match="'other'"):
        filled.search(Search().rank(Knn(query=SparseVector(indices=[1], values=[1.0]), key="other")))
    with pytest.raises(InvalidArgumentError, match="dimension of 2, got 3"):
        filled.search(Search().rank(Knn(query=[1, 2, 3])))


def test_schema(client):
    schema = words_schema(bm25=True).delete_index(config=IntInvertedIndexConfig(), key="year")
    made = client.create_collection("typed", schema=schema, embedding_function=None)
    for collection in (made, client.get_collection("typed", embedding_function=None)):
        words = collection.schema.keys["words"].sparse_vector.sparse_vector_index
        assert (words.enabled, words.config.bm25, words.config.source_key) == (True, True, "#document")
        assert isinstance(words.config.embedding_function, Lengths)
        assert not collection.schema.keys["year"].int_value.int_inverted_index.enabled
    made.add(ids=["a"], embeddings=[[1, 2]], metadatas=[{"year": 3}])
    assert made.get()["metadatas"] == [{"year": 3}]
    for read in (lambda: made.get(where={"year": 3}), lambda: made.search(Search().where(K("year") == 3))):
        with pytest.raises(InvalidArgumentError, match="'year'"):
            read()
