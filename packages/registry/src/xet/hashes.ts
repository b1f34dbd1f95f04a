/**
 * The hashes of Xet (https://huggingface.co/docs/xet/hashing): BLAKE3 with a key for each purpose. The hash of a xorb is the root of a tree
 * over the hashes of its chunks, and that of a file the same over all of its chunks, hashed once more.
 *
 * A hash is 32 bytes. Its text is that of four numbers of 64 bits, little-endian, in hexadecimal.
 */
import { createBLAKE3 } from 'hash-wasm'

export interface HashedChunk {
  hash: Uint8Array
  sizeBytes: number
}

export interface XetHashes {
  /** @param bytes of a chunk, not packed */
  chunk(bytes: Uint8Array): Uint8Array
  /** @param chunks at least one, in their order */
  xorb(chunks: readonly HashedChunk[]): Uint8Array
  /** @param chunks in their order */
  file(chunks: readonly HashedChunk[]): Uint8Array
}

export const HASH_BYTES = 32

const CHUNK_KEY = '6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229'
const NODE_KEY = '017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f'
const FILE_KEY = '00'.repeat(HASH_BYTES)
/** A node of the tree has 3 children on average: it ends after a hash that is divisible by `MEAN_CHILDREN`. */
const MEAN_CHILDREN = 4
const LEAST_CHILDREN = 2
const MOST_CHILDREN = 2 * MEAN_CHILDREN + 1
/** One chunk of so many can be asked for by other machines. */
const SHARED_CHUNKS = 1_024

export type KeyedHash = (bytes: Uint8Array) => Uint8Array

/** @param key 32 bytes */
export async function keyedHash(key: Uint8Array): Promise<KeyedHash> {
  const hasher = await createBLAKE3(8 * HASH_BYTES, key)
  return (bytes) => hasher.init().update(bytes).digest('binary')
}

let loaded: Promise<XetHashes> | undefined

/** Compiles WebAssembly at the first call. */
export function xetHashes(): Promise<XetHashes> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<XetHashes> {
  const [chunk, node, file] = await Promise.all(
    [CHUNK_KEY, NODE_KEY, FILE_KEY].map((key) => keyedHash(Buffer.from(key, 'hex'))),
  )
  const [ofChunk, ofNode, ofFile] = [chunk as KeyedHash, node as KeyedHash, file as KeyedHash]
  return {
    chunk: ofChunk,
    xorb: (chunks) => rootOf(chunks, ofNode),
    file: (chunks) => ofFile(rootOf(chunks, ofNode)),
  }
}

function rootOf(chunks: readonly HashedChunk[], ofNode: KeyedHash): Uint8Array {
  let level = chunks
  while (level.length > 1) {
    const parents: HashedChunk[] = []
    for (let at = 0; at < level.length; ) {
      const end = childrenEnd(level, at)
      parents.push(parentOf(level.slice(at, end), ofNode))
      at = end
    }
    level = parents
  }
  return level[0]?.hash ?? new Uint8Array(HASH_BYTES)
}

function childrenEnd(level: readonly HashedChunk[], start: number): number {
  const end = Math.min(start + MOST_CHILDREN, level.length)
  for (let at = start + LEAST_CHILDREN; at < end; at++) {
    if (isDivisible((level[at] as HashedChunk).hash, MEAN_CHILDREN)) return at + 1
  }
  return end
}

function parentOf(children: readonly HashedChunk[], ofNode: KeyedHash): HashedChunk {
  const text = children.map(({ hash, sizeBytes }) => `${hashText(hash)} : ${sizeBytes}\n`).join('')
  return { hash: ofNode(Buffer.from(text)), sizeBytes: children.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
}

/** Of a hash's last number. @param divisor a power of two, at most 65,536 */
function isDivisible(hash: Uint8Array, divisor: number): boolean {
  return (((hash[24] as number) | ((hash[25] as number) << 8)) & (divisor - 1)) === 0
}

/** Whether clients ask other machines for a chunk with this hash; they also do for the first chunk of a file. */
export const isShared = (hash: Uint8Array): boolean => isDivisible(hash, SHARED_CHUNKS)

export const hashText = (hash: Uint8Array): string => Buffer.from(hash).swap64().toString('hex')

/** @param text 64 hexadecimal digits */
export const hashOfText = (text: string): Uint8Array => Buffer.from(text, 'hex').swap64()
