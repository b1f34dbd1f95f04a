/**
 * The vocabulary as it is published: a text needs a few chunks of it. Tokens are sorted by their UTF-8 and cut into chunks,
 * compressed one by one; a token's place in the order is its id.
 *
 * The longest token that a word begins with is found in one chunk. All tokens that a word begins with are also beginnings of
 * the last token that sorts at or before the word, since whatever sorts between a beginning of the word and the word has this
 * beginning too. So a chunk holds, before its own tokens, the tokens that are beginnings of its first one.
 *
 * Continuations (`##ing`) are tokens like others. A word that is no token has two pieces most of the time, so the chunk for its
 * second piece is read next; if there are more, the chunks for what may follow at any later place are read at once. So a
 * text takes three rounds of reads at most.
 *
 * From version 3 of the section on, fingerprints of the tokens tell most of the pieces of a word before a chunk is there
 * (`likely-pieces.ts`): then the first round reads all, and the others have nothing left to read.
 *
 * From version 2 of the section on, a token's id is its slot in a perfect hash, which is known before the chunks are there: so
 * the vectors of words are read together with the chunks that tell whether they are tokens.
 */
import { crc32, utf8Decode, utf8Encode } from '#codec'
import { firstWhere } from '../../binary-search.ts'
import { readUint32 } from '../../codec/bytes.ts'
import { readVarint } from '../../codec/varint.ts'
import { corrupt } from '../../errors.ts'
import { decodeFrontCoded } from '../../format/front-coded.ts'
import { Fingerprints, type PerfectHash, slotOf } from '../../format/perfect-hash.ts'
import type { SectionDescriptor } from '../../format/segment/descriptor.ts'
import { paramCount } from '../../format/segment/descriptor.ts'
import type { SectionSource } from '../../format/segment/source.ts'
import { unpacked } from '../../format/unpacked.ts'
import { compareKeys } from '../../ports/object-key.ts'
import { basicTokens } from './basic-tokens.ts'
import { likelyPieces } from './likely-pieces.ts'
import { MAX_TOKENS } from './tokenizer.ts'
import { WordPiece } from './word-piece.ts'

/** Ids of its tokens are their places in the order. */
const ORDERED_VERSION = 1
const FINGERPRINTS_VERSION = 3

interface Chunk {
  offset: number
  length: number
  first: string
}

interface Directory {
  chunks: Chunk[]
  /** Undefined: ids are places in the order. */
  hash: PerfectHash | undefined
  fingerprints: Fingerprints | undefined
}

export class PublishedVocabulary {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #pieces: WordPiece
  #directory: Promise<Directory> | undefined
  readonly #chunks = new Map<Chunk, Promise<void>>()

  constructor(source: SectionSource, section: SectionDescriptor) {
    this.#source = source
    this.#section = section
    const { unknown } = section.params
    if (typeof unknown !== 'number' || !(unknown >= 0)) this.#fail(`has the parameter unknown ${String(unknown)}`)
    this.#pieces = WordPiece.partial(unknown)
  }

  /** Reads the directory of the chunks, so that the first text waits for less. */
  async prepare(): Promise<void> {
    await this.#open()
  }

  /**
   * The ids of each text's tokens.
   * @param likely called with ids that may be among them, before that is known
   * @throws SiltstoneError `corrupt`, `unavailable`
   */
  async encode(texts: readonly string[], likely?: (ids: number[]) => void): Promise<number[][]> {
    const words = texts.map(basicTokens)
    const all = [...new Set(words.flat())]
    const { hash, fingerprints } = await this.#open()
    const told = new Set<number>()
    const tell = (tokens: readonly string[]) => {
      if (!hash) return
      const slots = [...new Set(tokens.map((token) => slotOf(token, hash)))].filter((slot) => !told.has(slot))
      for (const slot of slots) told.add(slot)
      if (slots.length > 0) likely?.(slots)
    }
    const expected = fingerprints ? all.map((word) => likelyPieces(word, (token) => fingerprints.has(token))) : []
    tell([...all, ...expected.flatMap(({ pieces }) => pieces)])
    await this.#load([...all, ...expected.flatMap(({ rests }) => rests)])
    const cut = all
      .filter((word) => this.#pieces.whole(word) === undefined && !WordPiece.isTooLong(word))
      .map((word) => ({ word, end: this.#pieces.end(word, 0) }))
      .filter(({ end }) => end > 0)
    const rests = cut.map(({ word, end }) => `##${word.slice(end)}`)
    tell([...cut.map(({ word, end }) => word.slice(0, end)), ...rests])
    await this.#load(rests)
    const long = cut
      .map(({ word, end }) => ({ word, end, next: this.#pieces.end(word, end) }))
      .filter(({ word, end, next }) => next > end && next < word.length)
    tell(long.flatMap(({ word, end, next }) => [`##${word.slice(end, next)}`, `##${word.slice(next)}`]))
    await this.#load(long.flatMap(({ word, next }) => continuations(word, next)))
    return words.map((list) => {
      const ids: number[] = []
      for (let i = 0; i < list.length && ids.length < MAX_TOKENS; i++)
        ids.push(...this.#pieces.split(list[i] as string))
      return ids.slice(0, MAX_TOKENS)
    })
  }

  /** Reads the chunks that hold all tokens that these begin with. */
  async #load(words: readonly string[]): Promise<void> {
    const { chunks, hash } = await this.#open()
    const wanted = new Set<Chunk>()
    for (const word of words) {
      const place = firstWhere(chunks.length, (i) => compareKeys((chunks[i] as Chunk).first, word) > 0) - 1
      if (place >= 0) wanted.add(chunks[place] as Chunk)
    }
    await Promise.all(
      Array.from(wanted, (chunk) => {
        let read = this.#chunks.get(chunk)
        if (!read) {
          read = this.#readChunk(chunk, hash)
          this.#chunks.set(chunk, read)
          // A failure is not kept: the next text tries again.
          read.catch(() => this.#chunks.delete(chunk))
        }
        return read
      }),
    )
  }

  #fail(reason: string, cause?: unknown): never {
    const key = this.#source.key(this.#section)
    throw corrupt('section-damaged', `${key}: section ${this.#section.name} ${reason}`, { key, cause })
  }

  #unpacked(packed: Uint8Array, mostBytes: number): Uint8Array {
    return unpacked(packed, mostBytes, (reason, cause) => this.#fail(reason, cause))
  }

  #open(): Promise<Directory> {
    this.#directory ??= this.#readDirectory().catch((error: unknown) => {
      this.#directory = undefined
      throw error
    })
    return this.#directory
  }

  async #readDirectory(): Promise<Directory> {
    const section = this.#section
    if (!section.directory) return this.#fail('has no directory')
    const stored = await this.#source.checked(section, section.directory, 'the directory')
    const raw = this.#unpacked(stored, paramCount(section, 'directoryBytes'))
    const count = paramCount(section, 'chunks')
    const chunks: Chunk[] = []
    let offset = section.offset
    let at = 0
    for (let i = 0; i < count; i++) {
      const length = readVarint(raw, at)
      if (!length) return this.#fail('has a directory that is too short')
      chunks.push({ offset, length: length.value, first: '' })
      offset += length.value
      at = length.end
    }
    let hash: PerfectHash | undefined
    let fingerprints: Fingerprints | undefined
    if (section.version > ORDERED_VERSION) {
      const [buckets, slots] = [paramCount(section, 'buckets'), paramCount(section, 'slots')]
      if (buckets === 0 || slots === 0 || buckets > raw.length) return this.#fail('has no slots for its tokens')
      const seeds = new Uint32Array(buckets)
      for (let i = 0; i < buckets; i++) {
        const seed = readVarint(raw, at)
        if (!seed) return this.#fail('has a directory that is too short')
        seeds[i] = seed.value
        at = seed.end
      }
      hash = { seeds, slots }
      if (section.version >= FINGERPRINTS_VERSION) {
        const end = at + Fingerprints.sizeBytes(hash)
        fingerprints = new Fingerprints(hash, raw.slice(at, end))
        at = end
      }
    }
    const firsts = decodeFrontCoded(raw.subarray(at), count)
    if (!firsts || offset !== section.directory.offset)
      return this.#fail('has a directory that does not fit its chunks')
    return { chunks: chunks.map((chunk, i) => ({ ...chunk, first: firsts[i] as string })), hash, fingerprints }
  }

  async #readChunk(chunk: Chunk, hash: PerfectHash | undefined): Promise<void> {
    const stored = await this.#source.range(this.#section, chunk.offset, chunk.length)
    const packed = stored.subarray(4)
    if (stored.length < 4 || crc32(packed) !== readUint32(stored, 0)) return this.#fail('has a chunk that is damaged')
    const raw = this.#unpacked(packed, paramCount(this.#section, 'chunkBytes'))
    const firstId = readVarint(raw, 0)
    const own = firstId && readVarint(raw, firstId.end)
    const ancestors = own && readVarint(raw, own.end)
    if (!firstId || !own || !ancestors) return this.#fail('has a chunk that is too short')
    const first = utf8Encode(chunk.first)
    const add = (token: string, place: number) => this.#pieces.add(token, hash ? slotOf(token, hash) : place)
    let at = ancestors.end
    for (let i = 0; i < ancestors.value; i++) {
      const bytes = readVarint(raw, at)
      const id = bytes && readVarint(raw, bytes.end)
      if (!id) return this.#fail('has a chunk that is too short')
      add(utf8Decode(first, 0, bytes.value), id.value)
      at = id.end
    }
    const tokens = decodeFrontCoded(raw.subarray(at), own.value)
    if (!tokens || tokens[0] !== chunk.first) return this.#fail('has a chunk that is no list of tokens')
    tokens.forEach((token, i) => add(token, firstId.value + i))
  }
}

/** What a word may go on with from some place on. */
function continuations(word: string, from: number): string[] {
  return Array.from({ length: word.length - from }, (_, i) => `##${word.slice(from + i)}`)
}
