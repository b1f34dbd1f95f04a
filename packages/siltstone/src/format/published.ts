/**
 * `search.json`, the only file of a published folder that is ever replaced: it describes a collection, one segment with
 * all its records in `PUBLISHED_LAYOUT`, and the embedder for texts of queries. It has the frame of a manifest, with a
 * checksum. See docs/decisions/0016-published-folders.md.
 *
 * Every other file is a part: file f of the segment, in pieces of `partBytes`, is `data/<hash>-<n>.bin`, n from 0. The
 * hash is of the whole file, so a part never changes, and one that did not change keeps its name.
 */
import { indexOfAscii } from '#codec'
import { corrupt, unsupported } from '../errors.ts'
import { isSpace, type Space } from '../model/collection.ts'
import { decodeChecked, encodeChecked } from './manifest.ts'
import {
  type FileDescriptor,
  parseFile,
  parseSection,
  parseSegmentDescriptor,
  type SectionDescriptor,
  type SegmentDescriptor,
} from './segment/descriptor.ts'

export const PUBLISHED_FILE = 'search.json'
export const PUBLISHED_VERSION = 2
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

export interface Published {
  name: string
  space: Space
  /** Exact JSON text of an object. */
  metadata: string | null
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
  /** Of the collection, when it was published. */
  version: number
  /** null: there is no record. */
  segment: SegmentDescriptor | null
  embedder: PublishedEmbedder | null
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
  if (body['version'] !== PUBLISHED_VERSION)
    throw unsupported(
      'unknown-format-version',
      `${PUBLISHED_FILE} has version ${String(body['version'])}; this reader knows ${PUBLISHED_VERSION}: ${
        Number(body['version']) < PUBLISHED_VERSION ? 'publish the collection again' : 'use a newer one'
      }`,
      { key: PUBLISHED_FILE },
    )
  const { name, space, metadata, configuration, schema, collectionVersion, segment, embedder, partBytes } = body
  if (typeof name !== 'string') throw bad('name')
  if (!isSpace(space)) throw bad('space')
  if (metadata !== null && typeof metadata !== 'string') throw bad('metadata')
  if (!isObject(configuration)) throw bad('configuration')
  if (schema !== null && !isObject(schema)) throw bad('schema')
  if (!isCount(collectionVersion)) throw bad('collectionVersion')
  if (!isObject(partBytes) || !Object.values(partBytes).every((size) => isCount(size) && size > 0))
    throw bad('partBytes')
  const published: Published = {
    name,
    space,
    metadata,
    configuration,
    schema,
    version: collectionVersion,
    segment: segment === null ? null : parseSegmentDescriptor(segment),
    embedder: embedder === null ? null : parseEmbedder(embedder, () => bad('embedder')),
    partBytes: partBytes as Record<string, number>,
  }
  for (const { key } of filesOf(published)) if (published.partBytes[key] === undefined) throw bad('partBytes')
  return published
}

export function filesOf({ segment, embedder }: Pick<Published, 'segment' | 'embedder'>): FileDescriptor[] {
  return [...(segment?.files ?? []), ...(embedder?.files ?? [])]
}

/** @param fileKey `data/<hash>` */
export function partKey(fileKey: string, part: number): string {
  return `${fileKey}-${part}.bin`
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
