"""Makes Parquet files in the layout of Pinecone's imports with another implementation: `make-pinecone-parquet.py DIRECTORY`."""
import json, os, sys
import pyarrow as pa, pyarrow.parquet as pq

out = sys.argv[1]
def write(path, table, **options):
    os.makedirs(os.path.dirname(f'{out}/{path}'), exist_ok=True)
    pq.write_table(table, f'{out}/{path}', **options)

def vector(n):
    return [((n * 7 + k * 13) % 29 - 14) / 8 for k in range(4)]

def table(start, end, **more):
    rows = range(start, end)
    metadata = [None if i % 7 == 0 else json.dumps({'n': i, 'f': float(i), 'b': i % 2 == 0, 'tags': ['a', f't{i}'], 'text': f'Größe {i}'}, ensure_ascii=False) for i in rows]
    return pa.table({'id': [f'v{i}' for i in rows], 'values': pa.array([vector(i) for i in rows], pa.list_(pa.float32())), 'metadata': metadata, **more})

# The default namespace: two files, several row groups, pages of a few rows.
write('__default__/0.parquet', table(0, 100), row_group_size=40, data_page_size=200, compression='snappy')
write('__default__/1.parquet', table(100, 130), compression='zstd')
# Every codec, page version and kind of list.
write('codecs/gzip.parquet', table(0, 20), compression='gzip', data_page_version='2.0', data_page_size=64, write_batch_size=3)
write('codecs/brotli.parquet', table(20, 40), compression='brotli', use_dictionary=False)
write('codecs/none.parquet', table(40, 60), compression='none', data_page_size=64, write_batch_size=3)
fixed = table(60, 80).set_column(1, 'values', pa.array([vector(i) for i in range(60, 80)], pa.list_(pa.float32(), 4)))
write('codecs/fixed.parquet', fixed, data_page_size=64, write_batch_size=3)
double = table(80, 100).set_column(1, 'values', pa.array([vector(i) for i in range(80, 100)], pa.large_list(pa.float64())))
write('codecs/double.parquet', double, use_byte_stream_split=['values.list.element'], use_dictionary=False)
# Hybrid: sparse vectors, one without; and a record without a dense vector.
sparse = pa.array([None if i % 3 == 0 else {'indices': [9, i], 'values': [0.5, 1.0]} for i in range(8)], pa.struct([('indices', pa.list_(pa.uint32())), ('values', pa.list_(pa.float32()))]))
hybrid = table(0, 8, sparse_values=sparse)
hybrid = hybrid.set_column(1, 'values', pa.array([None if i == 5 else vector(i) for i in range(8)], pa.list_(pa.float32())))
write('hybrid/0.parquet', hybrid)
write('lz4/0.parquet', table(0, 3), compression='lz4')
