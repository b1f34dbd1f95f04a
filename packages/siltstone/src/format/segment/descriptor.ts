/**
 * The manifest's description of a segment: its files, and the place of each section in them. A section has a name, a
 * type and a version. Readers ignore sections with unknown names, and refuse a segment that requires unknown features.
 */
import { corrupt, unsupported } from '../../errors.ts'

export const SEGMENT_VERSION = 1
/** Features of segments that this program knows. */
const KNOWN_FEATURES: ReadonlySet<string> = new Set()

export interface FileDescriptor {
  key: string
  sizeBytes: number
  /** 8 hex digits over the whole object. */
  crc32: string
}

export interface SectionDescriptor {
  name: string
  type: string
  version: number
  /** Index into `files`. */
  file: number
  /** Offset in its file. */
  offset: number
  /** Size in bytes, the directory included. */
  length: number
  /** Of the whole section, for sections that are read in one piece. */
  crc32?: string
  /** `offset` in its file. */
  directory?: { offset: number; length: number; crc32: string }
  params: Record<string, number | string>
}

export interface SegmentDescriptor {
  format: 'siltstone.segment'
  version: 1
  /** A ULID. */
  id: string
  rows: number
  dimension: number
  order: 'ordinal' | 'cluster'
  minOrdinal: number
  maxOrdinal: number
  minVersion: number
  maxVersion: number
  files: FileDescriptor[]
  sections: SectionDescriptor[]
  /** A program that does not know one of them must not read the segment. */
  requiredFeatures: string[]
  /** Size of all files together. */
  sizeBytes: number
}

/** Takes fields from parsed JSON; each error names the field. */
export class Fields {
  readonly #value: Record<string, unknown>
  readonly #where: string

  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw corrupt('descriptor-damaged', `${where} is not an object`)
    }
    this.#value = value as Record<string, unknown>
    this.#where = where
  }

  fail(name: string, expected: string): never {
    throw corrupt('descriptor-damaged', `${this.#where}: ${name} is not ${expected}`)
  }

  count(name: string): number {
    const value = this.#value[name]
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : this.fail(name, 'a count')
  }

  text(name: string): string {
    const value = this.#value[name]
    return typeof value === 'string' ? value : this.fail(name, 'a text')
  }

  crc(name: string): string {
    const value = this.#value[name]
    return typeof value === 'string' && /^[0-9a-f]{8}$/.test(value) ? value : this.fail(name, 'a checksum')
  }

  list(name: string): unknown[] {
    const value = this.#value[name]
    return Array.isArray(value) ? (value as unknown[]) : this.fail(name, 'a list')
  }

  texts(name: string): string[] {
    const items = this.list(name)
    return items.every((item) => typeof item === 'string') ? items : this.fail(name, 'a list of texts')
  }

  optional(name: string): unknown {
    return this.#value[name]
  }

  has(name: string): boolean {
    return this.#value[name] !== undefined
  }
}

export function parseFile(value: unknown, where: string): FileDescriptor {
  const it = new Fields(value, where)
  return { key: it.text('key'), sizeBytes: it.count('sizeBytes'), crc32: it.crc('crc32') }
}

/** Checks that every range lies inside its file. */
export function parseSection(value: unknown, files: readonly FileDescriptor[], where: string): SectionDescriptor {
  const it = new Fields(value, where)
  const file = it.count('file')
  const offset = it.count('offset')
  const length = it.count('length')
  if (offset + length > (files[file]?.sizeBytes ?? -1)) it.fail('offset + length', 'inside a file')
  const params = it.optional('params')
  if (typeof params !== 'object' || params === null) it.fail('params', 'an object')
  const section: SectionDescriptor = {
    name: it.text('name'),
    type: it.text('type'),
    version: it.count('version'),
    file,
    offset,
    length,
    params: params as Record<string, number | string>,
  }
  if (it.has('crc32')) section.crc32 = it.crc('crc32')
  if (it.has('directory')) {
    const inner = new Fields(it.optional('directory'), `${where} directory`)
    section.directory = { offset: inner.count('offset'), length: inner.count('length'), crc32: inner.crc('crc32') }
    const end = section.directory.offset + section.directory.length
    if (section.directory.offset < offset || end > offset + length) it.fail('directory', 'inside its section')
  }
  return section
}

/** A parameter of a section that must be a count. */
export function paramCount(section: SectionDescriptor, name: string): number {
  const value = section.params[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw corrupt('descriptor-damaged', `section ${section.name}: parameter ${name} is not a count`)
}

export function checkFeatures(features: readonly string[], what: string): void {
  const unknown = features.find((feature) => !KNOWN_FEATURES.has(feature))
  if (unknown === undefined) return
  throw unsupported(
    'unknown-feature',
    `${what} needs ${JSON.stringify(unknown)}, which this program does not know: use a newer one`,
  )
}

/** @throws SiltstoneError `corrupt` (`descriptor-damaged`), `unsupported` (`unknown-format-version`, `unknown-feature`) */
export function parseSegmentDescriptor(value: unknown): SegmentDescriptor {
  const it = new Fields(value, 'segment descriptor')
  const id = it.text('id')
  const where = `segment ${id}`
  const named = new Fields(value, where)
  if (named.text('format') !== 'siltstone.segment') named.fail('format', 'siltstone.segment')
  if (named.count('version') !== SEGMENT_VERSION) {
    throw unsupported('unknown-format-version', `${where} has version ${named.count('version')}: use a newer program`)
  }
  const requiredFeatures = named.texts('requiredFeatures')
  checkFeatures(requiredFeatures, where)
  const order = named.text('order')
  if (order !== 'ordinal' && order !== 'cluster') return named.fail('order', 'ordinal or cluster')
  const files = named.list('files').map((file, i) => parseFile(file, `${where} file ${i}`))
  const sections = named.list('sections').map((section, i) => parseSection(section, files, `${where} section ${i}`))
  if (new Set(sections.map((section) => section.name)).size < sections.length)
    named.fail('sections', 'of different names')
  return {
    format: 'siltstone.segment',
    version: SEGMENT_VERSION,
    id,
    rows: named.count('rows'),
    dimension: named.count('dimension'),
    order,
    minOrdinal: named.count('minOrdinal'),
    maxOrdinal: named.count('maxOrdinal'),
    minVersion: named.count('minVersion'),
    maxVersion: named.count('maxVersion'),
    files,
    sections,
    requiredFeatures,
    sizeBytes: named.count('sizeBytes'),
  }
}
