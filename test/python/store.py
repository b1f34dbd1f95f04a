"""A store's directory and its formats, from docs/reference/format.md alone: this uses none of the product's code."""
import hashlib
import json
import os
import pathlib
import secrets
import time
import zlib

import mmh3
import numpy as np
import pyarrow as pa

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
UNSEALED = "crc32:00000000"


def ulid():
    value = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return "".join(CROCKFORD[(value >> (5 * i)) & 31] for i in reversed(range(26)))


def name_hash(name):
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def path_of(collection):
    """The path `<tenant>-<database>-<uuid>` of a client's collection."""
    return f"{name_hash(collection.tenant)}-{name_hash(collection.database)}-{collection.id}"


# ---- deltas ----

def arrow_bytes(table, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def sealed(data):
    """The same file with its checksum in place of `crc32:00000000`."""
    zeros = UNSEALED.encode()
    value = b"crc32:%08x" % zlib.crc32(data)
    first, last = data.find(zeros), data.rfind(zeros)
    assert 0 <= first < last
    return data[:first] + value + data[first + 14 : last] + value + data[last + 14 :]


def checksum_is_right(data):
    first, last = data.find(b"crc32:"), data.rfind(b"crc32:")
    said = data[first + 6 : first + 14]
    blank = b"0" * 8
    zeroed = data[: first + 6] + blank + data[first + 14 : last + 6] + blank + data[last + 14 :]
    return first != last and data[last + 6 : last + 14] == said and b"%08x" % zlib.crc32(zeroed) == said


def drop(root, path, data, name=None):
    """Writes as a bare producer on a directory: a temporary file, then a rename. Returns the key."""
    key = f"delta/{path}/inbox/{name or ulid()}.arrow"
    target = pathlib.Path(root) / key
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(root).parent / f"{secrets.token_hex(8)}.tmp"
    temporary.write_bytes(data)
    os.rename(temporary, target)
    return key


# ---- snapshots ----

def crc(data):
    return "%08x" % zlib.crc32(data)


def read_manifest(root, path):
    root = pathlib.Path(root)
    first, second, end = (root / f"snapshot/{path}/latest/pointer.txt").read_text().split("\n")
    assert (second, end) == (f"crc32:{crc(first.encode())}", "")
    data = (root / first).read_bytes()
    frame = json.loads(data)
    body = data[data.index(b'"manifest":') + len(b'"manifest":') : -1]
    assert crc(body) == frame["crc32"]
    manifest = frame["manifest"]
    assert (manifest["format"], manifest["version"], manifest["collection"]) == ("siltstone.manifest", 1, path)
    return manifest


class Segment:
    """One immutable segment, by its descriptor in the manifest."""

    def __init__(self, root, descriptor):
        assert (descriptor["format"], descriptor["version"]) == ("siltstone.segment", 1)
        assert descriptor["requiredFeatures"] == []
        self.descriptor = descriptor
        self.rows = descriptor["rows"]
        self.files = []
        for file in descriptor["files"]:
            data = (pathlib.Path(root) / file["key"]).read_bytes()
            assert (len(data), crc(data)) == (file["sizeBytes"], file["crc32"])
            self.files.append(data)
        assert sum(map(len, self.files)) == descriptor["sizeBytes"]

    def section(self, name):
        found = next((one for one in self.descriptor["sections"] if one["name"] == name), None)
        if found is None:
            return None, b""
        assert found["version"] == 1
        return found, self.files[found["file"]][found["offset"] : found["offset"] + found["length"]]

    def directory(self, section):
        at = section["directory"]
        data = self.files[section["file"]][at["offset"] : at["offset"] + at["length"]]
        assert crc(data) == at["crc32"]
        return data

    def pages(self, name, record, section_type, rows):
        section, data = self.section(name)
        assert section["type"] == section_type
        params = section["params"]
        page = np.dtype([("records", record, (params["recordsPerPage"],)), ("crc32", "<u4")])
        assert page.itemsize == params["pageBytes"]
        if "directory" in section:
            at = section["directory"]["offset"] - section["offset"]
            data = data[:at] if at >= 0 else data
        pages = np.frombuffer(data, page, count=-(-rows // params["recordsPerPage"]))
        assert all(zlib.crc32(p["records"].tobytes()) == p["crc32"] for p in pages)
        return pages["records"].reshape(-1, *np.dtype(record).shape)[:rows]

    def vectors(self):
        dimension = self.descriptor["dimension"]
        return self.pages("vectors", np.dtype(("<f4", (dimension,))), "f32-pages", self.rows).reshape(-1, dimension)

    def ordinals_and_versions(self):
        return self.pages("rows", np.dtype(("<u8", (2,))), "u64x2-pages", self.rows).reshape(-1, 2)

    def texts(self, name):
        """One text or None per row."""
        section, data = self.section(name)
        if section is None:
            return [None] * self.rows
        assert section["type"] == "blob-blocks"
        directory = np.frombuffer(self.directory(section), [("row", "<u4"), ("length", "<u4"), ("offset", "<u8")])
        texts = []
        for block in directory:
            assert block["row"] == len(texts)
            texts += self._block(data[block["offset"] : block["offset"] + block["length"]])
        assert len(texts) == self.rows
        return texts

    @staticmethod
    def _block(stored):
        checksum, rows, raw_length, compression = np.frombuffer(stored[:16], "<u4")
        assert zlib.crc32(stored[4:]) == checksum
        payload = stored[16:]
        assert compression in (0, 1)
        if compression == 1:
            payload = pa.Codec("zstd").decompress(payload, int(raw_length)).to_pybytes()
        assert len(payload) == raw_length
        bitmap_bytes = -(-int(rows) // 32) * 4
        present = np.unpackbits(np.frombuffer(payload[:bitmap_bytes], np.uint8), bitorder="little")
        at = bitmap_bytes + (int(rows) + 1) * 4
        offsets = np.frombuffer(payload[bitmap_bytes:at], "<u4").astype(int)
        texts = [payload[at + offsets[r] : at + offsets[r + 1]].decode() for r in range(rows)]
        return [text if present[r] else None for r, text in enumerate(texts)]

    def rows_of_ids(self, ids):
        """Looks ids up in the hash index, as a reader does; None for a missing id."""
        index = self.pages("id-index", np.dtype(("<u4", (3,))), "hash-pages", self.rows).reshape(-1, 3)
        keys = (index[:, 0].astype(np.uint64) << np.uint64(32)) | index[:, 1]
        assert np.all(keys[:-1] <= keys[1:])
        names = self.texts("ids")
        found = []
        for one in ids:
            hi, lo = self.hash(one)
            key = np.uint64((hi << 32) | lo)
            rows = index[np.searchsorted(keys, key, "left") : np.searchsorted(keys, key, "right"), 2]
            found.append(next((int(row) for row in rows if names[row] == one), None))
        return found

    @staticmethod
    def hash(one):
        digest = mmh3.hash_bytes(one.encode(), 0, x64arch=False)
        return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")

    SALT = [0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31]

    def may_hold(self, one):
        section, data = self.section("id-filter")
        assert section["type"] == "split-block-bloom" and crc(data) == section["crc32"]
        words = np.frombuffer(data, "<u4").reshape(-1, 8)
        hi, lo = self.hash(one)
        block = words[(hi * len(words)) >> 32]
        return all(int(word) >> (((lo * salt) & 0xFFFFFFFF) >> 27) & 1 for word, salt in zip(block, self.SALT))
