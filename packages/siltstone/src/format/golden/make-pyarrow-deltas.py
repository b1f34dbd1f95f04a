"""Makes the golden deltas of another Arrow implementation: pip install pyarrow polars; python make-pyarrow-deltas.py

The files are kept as they are: a program of any later version must read them as it reads them today.
"""
import pathlib
import zlib

import polars as pl
import pyarrow as pa

HERE = pathlib.Path(__file__).parent
IDS = ["a", "é€😀", "c", "d"]
OPS = ["add", "upsert", "update", "delete"]
VECTORS = [[1.0, 2.0, 3.0], [-0.5, 0.25, 1e-3], None, None]
DOCUMENTS = ["one", "zwei €", "", None]
METADATA = ['{"n":1,"f":1.0}', '{"big":9223372036854775807,"gone":null}', None, None]
URIS = [None, "s3://bucket/key", None, None]
VECTOR = pa.list_(pa.float32(), 3)


def table(string, dictionary=False):
    op = pa.array(OPS, string)
    return pa.table(
        {
            "op": op.dictionary_encode() if dictionary else op,
            "id": pa.array(IDS, string),
            "extra": pa.array([{"x": 1}, None, {"x": 3}, {"x": 4}]),
            "uri": pa.array(URIS, string),
            "vector": pa.array(VECTORS, VECTOR),
            "metadata": pa.array(METADATA, string),
            "document": pa.array(DOCUMENTS, string),
        },
    )


def write(name, data, metadata=None, batch=100, compression=None):
    data = data.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(sink, data.schema, options=options) as writer:
        writer.write_table(data, max_chunksize=batch)
    (HERE / name).write_bytes(sink.getvalue().to_pybytes())


def seal(path):
    """Fill in the checksum: see "Checksum" in docs/reference/format.md."""
    zeros = b"crc32:00000000"
    raw = path.read_bytes()
    first, last = raw.find(zeros), raw.rfind(zeros)
    assert 0 <= first < last
    value = b"crc32:%08x" % zlib.crc32(raw)
    raw = raw[:first] + value + raw[first + 14 : last] + value + raw[last + 14 :]
    path.write_bytes(raw)


write("pyarrow-plain.arrow", table(pa.string()))
write("pyarrow-batches.arrow", table(pa.large_string()), batch=1)
write("pyarrow-view.arrow", table(pa.string_view()))
write("pyarrow-dictionary.arrow", table(pa.string(), dictionary=True))
write("pyarrow-zstd.arrow", table(pa.string(), dictionary=True), compression="zstd")
write("pyarrow-lz4.arrow", table(pa.large_string(), dictionary=True), compression="lz4")
write(
    "pyarrow-sealed.arrow",
    table(pa.string()),
    {
        "siltstone.format": "delta",
        "siltstone.version": "1",
        "siltstone.dimension": "3",
        "siltstone.records": "4",
        "siltstone.crc32": "crc32:00000000",
    },
)
seal(HERE / "pyarrow-sealed.arrow")
frame = pl.from_arrow(table(pa.string()))
frame.write_ipc(HERE / "polars.arrow", compression="uncompressed")
