"""Every operator of where and where_document against a few lines of Python, over the log and over a snapshot."""
import re

import pytest
from chromadb.errors import InvalidArgumentError
from siltstone import compact

RECORDS = [
    ("a", {"n": 1, "t": "x", "ok": True, "tags": ["red", "blue"], "nums": [1, 2]}, "The quick brown fox"),
    ("b", {"n": 2, "t": "y", "ok": False, "tags": ["red"], "f": 0.5}, "jumps over the lazy dog"),
    ("c", {"n": 2.5, "t": "x", "nums": [2, 3], "floats": [0.5, 1.5]}, "100% sure_thing"),
    ("d", {"n": -7, "t": "", "flags": [True]}, ""),
    ("e", {"n": 3.0, "big": 2**62}, "Fox and FOX"),
    ("f", None, "no metadata, only text"),
    ("g", {"t": "z", "n": 2}, None),
]
number = lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)
kind = lambda v: "number" if number(v) else type(v).__name__


def equal(value, operand):
    return value is not None and not isinstance(value, list) and kind(value) == kind(operand) and value == operand


TESTS = {
    "$eq": lambda v, o: equal(v, o),
    "$ne": lambda v, o: not equal(v, o),
    "$in": lambda v, o: any(equal(v, one) for one in o),
    "$nin": lambda v, o: not any(equal(v, one) for one in o),
    "$gt": lambda v, o: number(v) and v > o,
    "$gte": lambda v, o: number(v) and v >= o,
    "$lt": lambda v, o: number(v) and v < o,
    "$lte": lambda v, o: number(v) and v <= o,
    "$contains": lambda v, o: isinstance(v, list) and any(equal(one, o) for one in v),
    "$not_contains": lambda v, o: not (isinstance(v, list) and any(equal(one, o) for one in v)),
}


def matches(where, metadata):
    ((key, value),) = where.items()
    if key == "$and":
        return all(matches(one, metadata) for one in value)
    if key == "$or":
        return any(matches(one, metadata) for one in value)
    if not isinstance(value, dict):
        value = {"$eq": value}
    ((operator, operand),) = value.items()
    return TESTS[operator]((metadata or {}).get(key), operand)


def matches_document(where, document):
    ((key, value),) = where.items()
    if key == "$and":
        return all(matches_document(one, document) for one in value)
    if key == "$or":
        return any(matches_document(one, document) for one in value)
    found = document is not None and (value in document if "contains" in key else re.search(value, document) is not None)
    return not found if key.startswith("$not_") else found


WHERE = [
    {"n": 2},
    {"n": 2.0},
    {"n": 3},
    {"t": "x"},
    {"t": ""},
    {"ok": True},
    {"missing": 1},
    {"n": {"$eq": 2.5}},
    {"t": {"$ne": "x"}},
    {"n": {"$ne": 2}},
    {"ok": {"$ne": True}},
    {"n": {"$in": [1, 2]}},
    {"t": {"$in": ["x", "z"]}},
    {"ok": {"$in": [True, False]}},
    {"n": {"$nin": [1, 2]}},
    {"t": {"$nin": ["x"]}},
    {"n": {"$gt": 2}},
    {"n": {"$gt": 2.4}},
    {"n": {"$gte": 2.5}},
    {"n": {"$lt": 2.5}},
    {"n": {"$lt": 1.5}},
    {"n": {"$lte": 2}},
    {"n": {"$lte": -7}},
    {"big": {"$gte": 2**62}},
    {"big": {"$gt": 2**62 - 1}},
    {"tags": {"$contains": "red"}},
    {"tags": {"$contains": "blue"}},
    {"tags": {"$not_contains": "red"}},
    {"nums": {"$contains": 2}},
    {"floats": {"$contains": 0.5}},
    {"flags": {"$contains": True}},
    {"t": {"$contains": "x"}},
    {"$and": [{"n": {"$gte": 2}}, {"t": "x"}]},
    {"$or": [{"n": 1}, {"t": "z"}]},
    {"$and": [{"$or": [{"n": 1}, {"n": 2}]}, {"t": {"$ne": "y"}}, {"n": {"$lt": 5}}]},
    {"$or": [{"$and": [{"n": 2}, {"t": "y"}]}, {"tags": {"$contains": "blue"}}]},
]
WHERE_DOCUMENT = [
    {"$contains": "fox"},
    {"$contains": "Fox"},
    {"$contains": "%"},
    {"$contains": "_"},
    {"$contains": "zz"},
    {"$not_contains": "fox"},
    {"$regex": "[Ff]ox"},
    {"$regex": "^The.*fox$"},
    {"$regex": r"\d+%"},
    {"$regex": "(?i)fox"},
    {"$not_regex": "o"},
    {"$and": [{"$contains": "o"}, {"$not_contains": "fox"}]},
    {"$or": [{"$contains": "lazy"}, {"$regex": "^$"}]},
]


@pytest.fixture(scope="module", params=["log", "snapshot", "both"])
def filled(request, server, admin):
    from conftest import client_of

    database = f"filters-{request.param}"
    admin.create_database(database)
    made = client_of(server, database=database).create_collection("things", embedding_function=None)
    half = {"log": len(RECORDS), "snapshot": len(RECORDS), "both": 4}[request.param]

    def add(records):
        ids, metadatas, documents = zip(*records)
        made.add(list(ids), embeddings=[[float(ord(i)), 1.0] for i in ids], metadatas=list(metadatas), documents=list(documents))

    add(RECORDS[:half])
    if request.param != "log":
        compact(server.data, "things", "--database", database)
    if RECORDS[half:]:
        add(RECORDS[half:])
    return made


@pytest.mark.parametrize("where", WHERE, ids=str)
def test_where(filled, where):
    wanted = [i for i, metadata, _ in RECORDS if matches(where, metadata)]
    assert filled.get(where=where)["ids"] == wanted
    assert sorted(filled.query(query_embeddings=[[98.0, 1.0]], where=where)["ids"][0]) == wanted


@pytest.mark.parametrize("where", WHERE_DOCUMENT, ids=str)
def test_where_document(filled, where):
    wanted = [i for i, _, document in RECORDS if matches_document(where, document)]
    assert filled.get(where_document=where)["ids"] == wanted
    assert sorted(filled.query(query_embeddings=[[98.0, 1.0]], where_document=where)["ids"][0]) == wanted


def test_both_and_ids(filled):
    got = filled.get(where={"n": {"$lte": 2}}, where_document={"$contains": "o"}, ids=["a", "c"])
    assert got["ids"] == ["a"]
    got = filled.get(where={"n": {"$gte": -7}}, limit=2, offset=1)
    assert got["ids"] == ["b", "c"]


@pytest.mark.parametrize(
    "where", [{"n": {"$gt": "x"}}, {"n": {"$in": []}}, {"n": {"$in": [1, "a"]}}, {"n": {"$nope": 1}}, {"$and": 3}, {"a": 1, "b": 2}]
)
def test_bad_filters(server, client, things, where):
    path = f"/tenants/default_tenant/databases/{client.database}/collections/{things.id}/get"
    answer = server.request("POST", path, json={"where": where})
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidArgumentError"), answer.text
    with pytest.raises((InvalidArgumentError, ValueError)):
        things.get(where=where)


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1"])
def test_bad_patterns(things, pattern):
    with pytest.raises((InvalidArgumentError, ValueError), match="(?i)regex"):
        things.get(where_document={"$regex": pattern})
