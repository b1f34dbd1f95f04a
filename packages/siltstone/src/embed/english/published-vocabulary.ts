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
 */
import { crc32, utf8Decode, utf8Encode, zstdDecompress } from '#codec'
import { firstWhere } from '../../binary-search.ts'
import { readUint32 } from '../../codec/bytes.ts'
import { readVarint } from '../../codec/varint.ts'
import { corrupt } from '../../errors.ts'
import { decodeFrontCoded } from '../../format/front-coded.ts'
import type { SectionDescriptor } from '../../format/segment/descriptor.ts'
import { paramCount } from '../../format/segment/descriptor.ts'
import type { SectionSource } from '../../format/segment/source.ts'
import { compareKeys } from '../../ports/object-key.ts'
import { basicTokens } from './basic-tokens.ts'
import { MAX_TOKENS } from './tokenizer.ts'
import { WordPiece } from './word-piece.ts'

interface Chunk {
  offset: number
  length: number
  first: string
}

export class PublishedVocabulary {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #pieces: WordPiece
  #directory: Promise<Chunk[]> | undefined
  readonly #chunks = new Map<Chunk, Promise<void>>()

  constructor(source: SectionSource, section: SectionDescriptor) {
    this.#source = source
    this.#section = section
    this.#pieces = WordPiece.partial(paramCount(section, 'unknown'))
  }

  /** Reads the directory of the chunks, so that the first text waits for less. */
  async prepare(): Promise<void> {
    await this.#open()
  }

  /** The ids of each text's tokens. @throws SiltstoneError `corrupt`, `unavailable` */
  async encode(texts: readonly string[]): Promise<number[][]> {
    const words = texts.map(basicTokens)
    const all = [...new Set(words.flat())]
    await this.#load(all)
    const cut = all
      .filter((word) => this.#pieces.whole(word) === undefined && !WordPiece.isTooLong(word))
      .map((word) => ({ word, end: this.#pieces.end(word, 0) }))
      .filter(({ end }) => end > 0)
    await this.#load(cut.map(({ word, end }) => `##${word.slice(end)}`))
    await this.#load(
      cut.flatMap(({ word, end }) => {
        const next = this.#pieces.end(word, end)
        return next === end ? [] : continuations(word, next)
      }),
    )
    return words.map((list) => {
      const ids: number[] = []
      for (let i = 0; i < list.length && ids.length < MAX_TOKENS; i++)
        ids.push(...this.#pieces.split(list[i] as string))
      return ids.slice(0, MAX_TOKENS)
    })
  }

  /** Reads the chunks that hold all tokens that these begin with. */
  async #load(words: readonly string[]): Promise<void> {
    const chunks = await this.#open()
    const wanted = new Set<Chunk>()
    for (const word of words) {
      const place = firstWhere(chunks.length, (i) => compareKeys((chunks[i] as Chunk).first, word) > 0) - 1
      if (place >= 0) wanted.add(chunks[place] as Chunk)
    }
    await Promise.all(
      Array.from(wanted, (chunk) => {
        let read = this.#chunks.get(chunk)
        if (!read) {
          read = this.#readChunk(chunk)
          this.#chunks.set(chunk, read)
          // A failure is not kept: the next text tries again.
          read.catch(() => this.#chunks.delete(chunk))
        }
        return read
      }),
    )
  }

  #fail(reason: string): never {
    const key = this.#source.key(this.#section)
    throw corrupt('section-damaged', `${key}: section ${this.#section.name} ${reason}`, { key })
  }

  #open(): Promise<Chunk[]> {
    this.#directory ??= this.#readDirectory().catch((error: unknown) => {
      this.#directory = undefined
      throw error
    })
    return this.#directory
  }

  async #readDirectory(): Promise<Chunk[]> {
    const section = this.#section
    if (!section.directory) return this.#fail('has no directory')
    const stored = await this.#source.checked(section, section.directory, 'the directory')
    const raw = zstdDecompress(stored, paramCount(section, 'directoryBytes'))
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
    const firsts = decodeFrontCoded(raw.subarray(at), count)
    if (!firsts || offset !== section.directory.offset)
      return this.#fail('has a directory that does not fit its chunks')
    return chunks.map((chunk, i) => ({ ...chunk, first: firsts[i] as string }))
  }

  async #readChunk(chunk: Chunk): Promise<void> {
    const stored = await this.#source.range(this.#section, chunk.offset, chunk.length)
    const packed = stored.subarray(4)
    if (stored.length < 4 || crc32(packed) !== readUint32(stored, 0)) return this.#fail('has a chunk that is damaged')
    const raw = zstdDecompress(packed, paramCount(this.#section, 'chunkBytes'))
    const firstId = readVarint(raw, 0)
    const own = firstId && readVarint(raw, firstId.end)
    const ancestors = own && readVarint(raw, own.end)
    if (!firstId || !own || !ancestors) return this.#fail('has a chunk that is too short')
    const first = utf8Encode(chunk.first)
    let at = ancestors.end
    for (let i = 0; i < ancestors.value; i++) {
      const bytes = readVarint(raw, at)
      const id = bytes && readVarint(raw, bytes.end)
      if (!id) return this.#fail('has a chunk that is too short')
      this.#pieces.add(utf8Decode(first, 0, bytes.value), id.value)
      at = id.end
    }
    const tokens = decodeFrontCoded(raw.subarray(at), own.value)
    if (!tokens || tokens[0] !== chunk.first) return this.#fail('has a chunk that is no list of tokens')
    tokens.forEach((token, i) => this.#pieces.add(token, firstId.value + i))
  }
}

/** What a word may go on with from some place on. */
function continuations(word: string, from: number): string[] {
  return Array.from({ length: word.length - from }, (_, i) => `##${word.slice(from + i)}`)
}
