/**
 * `search.json`, the only file of a published folder that pages read and that is ever replaced: it describes a collection, its
 * segments in `PUBLISHED_LAYOUT`, and the embedder for texts of queries. It has the frame of a manifest, with a checksum.
 * See docs/decisions/0016-published-folders.md.
 *
 * The first segment has the records of the last whole publication. Where records changed since, `deletions` names its rows that
 * are no longer valid, and a second segment has the records that changed.
 *
 * Every other file is a part: file f of a segment, in pieces of `partBytes`, is `data/<hash>-<n>.bin`, n from 0. The
 * hash is of the whole file, so a part never changes, and one that did not change keeps its name.
 *
 * `inline` has the content of ranges of files that a page would have to read before it can ask for anything else: they come with
 * `search.json`, and save a round of requests.
 */
import { indexOfAscii } from '#codec'
import { corrupt, unsupported } from '../errors.ts'
import { isSpace, type Space } from '../model/collection.ts'
import { type DeletionsRef, decodeChecked, encodeChecked } from './manifest.ts'
import {
  type FileDescriptor,
  parseFile,
  parseSection,
  parseSegmentDescriptor,
  type SectionDescriptor,
  type SegmentDescriptor,
} from './segment/descriptor.ts'

export const PUBLISHED_FILE = 'search.json'
export const PUBLISHED_VERSION = 6
/** It has one segment, under the name `segment`. Versions 3 to 5 have sections of other versions, and none up to 4 has `inline`. */
const ONE_SEGMENT_VERSION = 2
const FORMAT = 'siltstone.published'

/** Both are sections of files that are cut into parts as those of the segment are. */
export const VOCABULARY = { name: 'vocabulary', type: 'token-chunks' } as const
export const TOKEN_ROWS = { name: 'token-rows', type: 'i8-pages' } as const

export interface PublishedEmbedder {
  model: string
  dimension: number
  tokens: number
  files: FileDescriptor[]
  sections: SectionDescriptor[]
}

export interface PublishedSegment {
  segment: SegmentDescriptor
  /** Rows that are not valid any more, as a portable Roaring bitmap in Base64. */
  deletions: (DeletionsRef & { inline: string }) | null
}

/** Bytes of a file, which begin at `offset`. */
export interface InlineRange {
  key: string
  offset: number
  base64: string
}

export interface Published {
  name: string
  space: Space
  /** Exact JSON text of an object. */
  metadata: string | null
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
  /** Of the collection, when it was published. */
  version: number
  /** Empty: there is no record. */
  segments: PublishedSegment[]
  embedder: PublishedEmbedder | null
  /**
   * Digests of the records of the first segment (`publish/record-digests.ts`), for the next publication. Pages do not read
   * them. null: the next publication is a whole one.
   */
  digests: FileDescriptor | null
  inline: InlineRange[]
  /** What searches by meaning aim at that do not say: see `publish/recall-aim.ts`. null: a constant. */
  recall: number | null
  /** Size of the parts of each file, by its key. */
  partBytes: Record<string, number>
}

export function encodePublished(published: Published): Uint8Array {
  const { version, ...rest } = published
  return encodeChecked({ format: FORMAT, version: PUBLISHED_VERSION, collectionVersion: version, ...rest })
}

/** Whether a file is a `search.json` of any version, damaged or not. */
export function isPublished(bytes: Uint8Array): boolean {
  return indexOfAscii(bytes.subarray(0, 200), `"format":"${FORMAT}"`) >= 0
}

/** @throws SiltstoneError `corrupt` (published-damaged, …), `unsupported` (unknown-format-version) */
export function decodePublished(bytes: Uint8Array): Published {
  const body = decodeChecked(bytes, PUBLISHED_FILE) as Record<string, unknown> | null
  const bad = (field: string) =>
    corrupt('published-damaged', `${PUBLISHED_FILE}: ${field} is ${JSON.stringify(body?.[field]) ?? 'missing'}`, {
      key: PUBLISHED_FILE,
    })
  if (typeof body !== 'object' || body === null || body['format'] !== FORMAT) throw bad('format')
  const { version } = body
  const isOld = version === ONE_SEGMENT_VERSION
  if (!isCount(version) || version < ONE_SEGMENT_VERSION || version > PUBLISHED_VERSION)
    throw unsupported(
      'unknown-format-version',
      `${PUBLISHED_FILE} has version ${String(version)}; this reader knows ${ONE_SEGMENT_VERSION} to ${PUBLISHED_VERSION}: ${
        Number(version) < ONE_SEGMENT_VERSION ? 'publish the collection again' : 'use a newer one'
      }`,
      { key: PUBLISHED_FILE },
    )
  const { name, space, metadata, configuration, schema, collectionVersion, embedder, partBytes } = body
  const { digests = null, inline = [], recall = null } = body
  if (typeof name !== 'string') throw bad('name')
  if (!isSpace(space)) throw bad('space')
  if (metadata !== null && typeof metadata !== 'string') throw bad('metadata')
  if (!isObject(configuration)) throw bad('configuration')
  if (schema !== null && !isObject(schema)) throw bad('schema')
  if (!isCount(collectionVersion)) throw bad('collectionVersion')
  if (!isObject(partBytes) || !Object.values(partBytes).every((size) => isCount(size) && size > 0))
    throw bad('partBytes')
  if (recall !== null && !(typeof recall === 'number' && recall > 0 && recall < 1)) throw bad('recall')
  const published: Published = {
    name,
    space,
    metadata,
    configuration,
    schema,
    version: collectionVersion,
    segments: isOld ? oneSegment(body['segment']) : parseSegments(body['segments'], () => bad('segments')),
    embedder: embedder === null ? null : parseEmbedder(embedder, () => bad('embedder')),
    digests: digests === null ? null : parseFile(digests, 'digests'),
    inline: parseInline(inline, () => bad('inline')),
    recall,
    partBytes: partBytes as Record<string, number>,
  }
  for (const { key } of filesOf(published)) if (published.partBytes[key] === undefined) throw bad('partBytes')
  return published
}

/** The files that pages read. */
export function filesOf({ segments, embedder }: Pick<Published, 'segments' | 'embedder'>): FileDescriptor[] {
  return [...segments.flatMap(({ segment }) => segment.files), ...(embedder?.files ?? [])]
}

/** @param fileKey `data/<hash>` */
export function partKey(fileKey: string, part: number): string {
  return `${fileKey}-${part}.bin`
}

function oneSegment(segment: unknown): PublishedSegment[] {
  return segment === null ? [] : [{ segment: parseSegmentDescriptor(segment), deletions: null }]
}

function parseSegments(value: unknown, bad: () => Error): PublishedSegment[] {
  if (!Array.isArray(value)) throw bad()
  return value.map((one: unknown) => {
    if (!isObject(one)) throw bad()
    return { segment: parseSegmentDescriptor(one['segment']), deletions: parseDeletions(one['deletions'], bad) }
  })
}

function parseDeletions(value: unknown, bad: () => Error): PublishedSegment['deletions'] {
  if (value === null) return null
  if (!isObject(value)) throw bad()
  const { count, inline } = value
  if (!isCount(count) || typeof inline !== 'string') throw bad()
  return { count, inline }
}

function parseInline(value: unknown, bad: () => Error): InlineRange[] {
  if (!Array.isArray(value)) throw bad()
  return value.map((one: unknown) => {
    const { key, offset, base64 } = isObject(one) ? one : {}
    if (typeof key !== 'string' || !isCount(offset) || typeof base64 !== 'string') throw bad()
    return { key, offset, base64 }
  })
}

function parseEmbedder(value: unknown, bad: () => Error): PublishedEmbedder {
  if (!isObject(value)) throw bad()
  const { model, dimension, tokens, files, sections } = value
  if (typeof model !== 'string' || !isCount(dimension) || !isCount(tokens)) throw bad()
  if (!Array.isArray(files) || !Array.isArray(sections)) throw bad()
  const parsed = files.map((file, i) => parseFile(file, `embedder file ${i}`))
  return {
    model,
    dimension,
    tokens,
    files: parsed,
    sections: sections.map((section, i) => parseSection(section, parsed, `embedder section ${i}`)),
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
