"""Exact nearest rows by dot product of unit vectors, in blocks. Run by bench/src when it needs a truth; results are kept in bench/.data.

    exact.py ROWS QUERIES OUTPUT DIMENSION K [ONLY]

ROWS and QUERIES are raw little-endian f32, row after row; the same file for both asks for every row's neighbours but
itself. ONLY: u32 row numbers among which to look. OUTPUT.rows: u32 and OUTPUT.scores: f32, queries x K, best first.
"""
import os
import sys
import numpy as np

ROWS, QUERIES, OUTPUT = sys.argv[1:4]
DIMENSION, K = int(sys.argv[4]), int(sys.argv[5])
BLOCK = 10_000

rows = np.memmap(ROWS, dtype='<f4', mode='r').reshape(-1, DIMENSION)
queries = np.memmap(QUERIES, dtype='<f4', mode='r').reshape(-1, DIMENSION)
only = np.fromfile(sys.argv[6], dtype='<u4') if len(sys.argv) > 6 else np.arange(len(rows), dtype='<u4')
itself = os.path.samefile(ROWS, QUERIES)

found = np.empty((len(queries), K), dtype='<u4')
scores = np.empty((len(queries), K), dtype='<f4')
for first in range(0, len(queries), 2_000):
    asked = np.asarray(queries[first:first + 2_000])
    best_rows = np.zeros((len(asked), 0), dtype='<u4')
    best_scores = np.zeros((len(asked), 0), dtype='<f4')
    for start in range(0, len(only), BLOCK):
        these = only[start:start + BLOCK]
        score = asked @ np.asarray(rows[these]).T
        if itself:
            score[these[None, :] == np.arange(first, first + len(asked))[:, None]] = -np.inf
        keep = min(K, score.shape[1])
        top = np.argpartition(-score, keep - 1, axis=1)[:, :keep]
        all_rows = np.hstack([best_rows, these[top]])
        all_scores = np.hstack([best_scores, np.take_along_axis(score, top, axis=1)])
        order = np.argsort(-all_scores, axis=1, kind='stable')[:, :K]
        best_rows = np.take_along_axis(all_rows, order, axis=1)
        best_scores = np.take_along_axis(all_scores, order, axis=1)
    found[first:first + len(asked)] = best_rows
    scores[first:first + len(asked)] = best_scores
found.tofile(OUTPUT + '.rows')
scores.tofile(OUTPUT + '.scores')
