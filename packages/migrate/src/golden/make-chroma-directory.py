"""Makes one golden Chroma directory: `golden.py OUT.json.gz`. Run with the version of chromadb that it is of."""
import base64, gzip, json, os, shutil, sqlite3, sys, tempfile
import chromadb
from chromadb.config import Settings

version = tuple(map(int, chromadb.__version__.split('.')[:3]))
has_bools = version >= (0, 4, 15)
has_uris = version >= (1, 0, 0)
has_lists = version >= (1, 5, 0)
# Older ones do not find the vector of an id that came back.
finds_again = version >= (0, 5, 5)
out = tempfile.mkdtemp()
client = chromadb.PersistentClient(out, settings=Settings(anonymized_telemetry=False))
expected = {}

def vector(n, scale=1.0):
    return [((n * 7 + k * 13) % 29 - 14) / 8 * scale or 0.125 for k in range(4)]

for space in ['l2', 'cosine', 'ip']:
    meta = {'hnsw:space': space, 'hnsw:sync_threshold': 20, 'hnsw:batch_size': 10, 'title': 'Größe', 'n': 3, 'f': 2.0}
    a = client.create_collection(f'golden-{space}', metadata=meta, embedding_function=None)
    def metadata(i):
        m = {'i': i, 'f': float(i), 's': f'été {i}'}
        if has_bools:
            m['b'] = i % 2 == 0
        if has_lists and i % 3 == 0:
            m |= {'as': ['x', 'y'], 'ai': [i, 2], 'af': [1.0, 2.5], 'ab': [True, False]}
        return m if i % 5 else None
    rows = range(30)
    # A list with a null in it is refused by old versions: two calls.
    with_meta = [i for i in rows if i % 5]
    without = [i for i in rows if i % 5 == 0]
    a.add(ids=[f'r{i}' for i in with_meta], embeddings=[vector(i) for i in with_meta], metadatas=[metadata(i) for i in with_meta], documents=[f'Dokument {i} ☃' for i in with_meta])
    a.add(ids=[f'r{i}' for i in without], embeddings=[vector(i) for i in without])
    a.delete(ids=['r1', 'r2'])
    a.upsert(ids=['r3', 'new'], embeddings=[vector(3, 2), vector(40)], metadatas=[{'z': 9007199254740993}, {'q': 1.0}], **({'uris': ['file:///3', None]} if has_uris else {}))
    a.update(ids=['r4'], metadatas=[{'i': 4.5}])
    again = 'r1' if finds_again else 'back'
    a.add(ids=[again], embeddings=[vector(50)])
    a.add(ids=[f'late{i}' for i in range(5)], embeddings=[vector(i, 3) for i in range(5)], documents=[f'spät {i}' for i in range(5)])
    a.delete(ids=['late2', 'r6'])
    got = a.get(include=['documents', 'metadatas'] + (['uris'] if has_uris else []))
    # One by one: 0.4 fails on a list that has vectors in both of its indexes.
    got['embeddings'] = [a.get(ids=[i], include=['embeddings'])['embeddings'][0] for i in got['ids']]
    expected[a.name] = {
        'space': space, 'metadata': {**meta}, 'records': [
            {'id': i, 'vector': [float(x) for x in e], 'document': d, 'metadata': m, 'uri': u}
            for i, e, d, m, u in zip(got['ids'], got['embeddings'], got['documents'], got['metadatas'], got.get('uris') or [None] * len(got['ids']))]}
client.create_collection('golden-empty', embedding_function=None)
expected['golden-empty'] = {'space': 'l2', 'metadata': None, 'records': []}
copy = tempfile.mkdtemp()
shutil.copytree(out, copy, dirs_exist_ok=True)
d = sqlite3.connect(copy + '/chroma.sqlite3'); d.execute('DELETE FROM migrations'); d.commit(); d.execute('VACUUM'); d.close()
files = {}
for base, _, names in os.walk(copy):
    for name in names:
        path = os.path.join(base, name)
        if name == 'link_lists.bin' or name.endswith(('-wal', '-shm', '-journal')): continue
        files[os.path.relpath(path, copy)] = base64.b64encode(open(path, 'rb').read()).decode()
text = json.dumps({'chromadb': chromadb.__version__, 'files': files, 'expected': expected}, ensure_ascii=False, sort_keys=True)
open(sys.argv[1], 'wb').write(gzip.compress(text.encode(), 9, mtime=0))
print(len(text), os.path.getsize(sys.argv[1]), {k: len(v['records']) for k, v in expected.items()}, [ (f, len(b)) for f, b in files.items()])
