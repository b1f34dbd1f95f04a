"""The 10 nearest passages of every passage, for deriving larger sets (see bench/RESULTS.md, "More rows").

    neighbours.py VECTORS OUTPUT DIMENSION     VECTORS: raw little-endian f32; OUTPUT: little-endian u32, row-major, rows x 10, nearest first

Needs numpy only: Arrow's own layout is read by bench/src, which hands the vectors over as a raw f32 file.
"""
import sys
import numpy as np

VECTORS, OUTPUT, DIMENSION = sys.argv[1], sys.argv[2], int(sys.argv[3])
NEIGHBOURS, BLOCK = 10, 1_000

vectors = np.fromfile(VECTORS, dtype='<f4').reshape(-1, DIMENSION)
found = np.empty((len(vectors), NEIGHBOURS), dtype='<u4')
for start in range(0, len(vectors), BLOCK):
    block = vectors[start:start + BLOCK]
    likeness = block @ vectors.T
    rows = np.arange(len(block))
    likeness[rows, start + rows] = -np.inf
    best = np.argpartition(-likeness, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    order = np.argsort(-likeness[rows[:, None], best], axis=1)
    found[start:start + BLOCK] = best[rows[:, None], order]
found.tofile(OUTPUT)
