"""Builds an index of terms with tantivy or bm25s and asks it queries, one after another, on one thread.

Usage: paragraph_peers.py PEER TERMS QUERIES FOLDER

TERMS has the terms of one document a line, separated by spaces; QUERIES a JSON object of lists of such lines by name.
Prints JSON: seconds of building, bytes of the index, and for each list of queries and each k the times in milliseconds, with the
rows and scores of the best ones.
"""

import json
import os
import sys
import time

TOP = (10, 100)
# Without their own threads, as everything that is compared.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")


def size_of(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def tantivy_peer(documents, folder):
    import tantivy

    schema = (
        tantivy.SchemaBuilder()
        .add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
        .add_integer_field("row", stored=True)
        .build()
    )
    os.makedirs(folder, exist_ok=True)
    index = tantivy.Index(schema, path=folder, reuse=False)
    writer = index.writer(heap_size=500_000_000, num_threads=1)
    for row, text in enumerate(documents):
        writer.add_document(tantivy.Document(text=text, row=row))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(query, k):
        terms = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", term, "freq")) for term in query.split(" ")
        ]
        found = searcher.search(tantivy.Query.boolean_query(terms), limit=k, count=False)
        return found.hits

    def rows(hits):
        return [(searcher.doc(address)["row"][0], score) for score, address in hits]

    return ask, rows


def bm25s_peer(documents, folder):
    import bm25s

    retriever = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    retriever.index([text.split(" ") for text in documents], show_progress=False)
    retriever.save(folder)

    def ask(query, k):
        return retriever.retrieve([query.split(" ")], k=k, show_progress=False, n_threads=0)

    def rows(found):
        return [(int(row), float(score)) for row, score in zip(found[0][0], found[1][0])]

    return ask, rows


def main():
    peer, terms, queries, folder = sys.argv[1:]
    with open(terms, encoding="utf8") as file:
        documents = file.read().split("\n")[:-1]
    started = time.perf_counter()
    ask, rows = {"tantivy": tantivy_peer, "bm25s": bm25s_peer}[peer](documents, folder)
    built = time.perf_counter() - started
    answer = {"seconds": built, "bytes": size_of(folder), "found": {}}
    with open(queries, encoding="utf8") as file:
        by_name = json.load(file)
    for name, texts in by_name.items():
        for text in texts[:20]:
            ask(text, TOP[0])
        for k in TOP:
            times, hits = [], []
            for text in texts:
                before = time.perf_counter()
                found = ask(text, k)
                times.append(1000 * (time.perf_counter() - before))
                hits.append(rows(found))
            answer["found"][f"{name}, top {k}"] = {"times": times, "hits": hits}
    json.dump(answer, sys.stdout)


main()
