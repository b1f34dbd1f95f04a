/** The directory of an inverted file: the centroids, and where the list of each one lies. See docs/decisions/0005. */
import { corrupt, unsupported } from '../errors.ts'
import { readContent } from './directory-content.ts'
import {
  type Calibration,
  calibrationLength,
  type CalibrationLayout,
  decodeCalibration,
  UNCALIBRATED,
} from './calibration.ts'
import type { SectionDescriptor } from '../format/segment/descriptor.ts'
import { USUAL_FLATNESS } from './flatness.ts'
import type { SegmentReader } from '../format/segment/reader.ts'

/**
 * Version 1 had no calibration, and one bit per dimension. Versions 2 and 3 (compact) had one flatness for all data, versions
 * 4 and 5 (compact) tell one, and versions 6 and 7 (compact) one for each number of neighbours, and factors for filters.
 * Versions 9 and 10 (compact, with coded centroids) tell these apart for queries outside, and versions 11 and 12 (compact, with coded
 * centroids) from where on a query is far outside. Version 8 was never released.
 */
export const CENTROIDS = { name: 'ivf-centroids', type: 'i8-centroids', version: 11 } as const
/** With the lengths of the lists; of segments for pages. See `centroid-code.ts`. */
export const CODED_CENTROIDS_VERSION = 12
const CODED_VERSIONS: readonly number[] = [10, CODED_CENTROIDS_VERSION]
const COMPACT_VERSIONS: readonly number[] = [3, 5, 7, ...CODED_VERSIONS]
const UNRELEASED_VERSION = 8
const FIRST_WITH_FLATNESS = 4
const FIRST_WITH_FILTERS = 6
const FIRST_WITH_OUTSIDE = 9
const FIRST_WITH_FAR = 11
/** See `compact-list.ts`. */
export const COMPACT_LISTS_VERSION = 2
/** By bits per dimension. */
export const LISTS = { name: 'ivf-lists', types: { 1: 'rabitq-1', 2: 'rabitq-2' } } as const
export const ROTATION = 'hadamard-3'
/** CRC-32, number of entries, number of primaries, first row: 4 bytes each. */
export const LIST_HEADER_BYTES = 16
/** A calibration has at most this many recalls, numbers of neighbours, and shares. */
const MOST_RECALLS = 100
/** Clusters per root of the number of rows. */
export const DENSITY = 4
/** Entries whose codes are interleaved. */
export const PACK = 16

/** Bits of a code per dimension. */
export type CodeBits = keyof typeof LISTS.types
export type IndexedSpace = 'l2' | 'cosine' | 'ip'

export interface IvfDirectory {
  clusters: number
  /** Padded to a multiple of 64. */
  dimension: number
  bits: CodeBits
  seed: number
  space: IndexedSpace
  /** Root mean square of √(|x̄|² − ⟨x̄, r⟩²/|r|²) over all codes: of √(1 − α²) for codes of one bit. */
  codeError: number
  /** Length that few rows exceed; see `near-limit.ts`. */
  reach: number
  calibration: Calibration
  /** int8[clusters × dimension], to be multiplied by `scales`. */
  centroids: Int8Array
  scales: Float32Array
  /** Squared lengths of the centroids. */
  squares: Float32Array
  /** Rows for which this cluster is the nearest. */
  primaries: Uint32Array
  /** Rows that are copied into this cluster as their second. */
  copies: Uint32Array
  /** Cluster i holds rows `firstRows[i]` to before `firstRows[i + 1]`. */
  firstRows: Uint32Array
  /** Whether lists are as `compact-list.ts` has them. */
  isCompact: boolean
  /** List i lies at `offsets[i]` to before `offsets[i + 1]` of its section. */
  offsets: Float64Array
}

/** @param codeLength bits of a code */
export function packBytes(codeLength: number): number {
  return (codeLength / 8) * PACK + PACK * 8
}

export function listBytes(codeLength: number, primaries: number, copies: number): number {
  return LIST_HEADER_BYTES + Math.ceil((primaries + copies) / PACK) * packBytes(codeLength) + copies * 4
}

/** @returns undefined for a segment without an inverted file. @throws SiltstoneError `corrupt` (`descriptor-damaged`) */
export function ivfSections(
  reader: SegmentReader,
): { centroids: SectionDescriptor; lists: SectionDescriptor } | undefined {
  const centroids = reader.section(CENTROIDS.name, CENTROIDS.type, CODED_CENTROIDS_VERSION)
  if (centroids?.version === UNRELEASED_VERSION)
    throw unsupported(
      'unknown-format-version',
      `segment ${reader.descriptor.id}: its centroids were written by a version that was not released: publish again`,
    )
  const isCompact = centroids !== undefined && COMPACT_VERSIONS.includes(centroids.version)
  const type = LISTS.types[centroids?.params['bits'] === 2 ? 2 : 1]
  const lists = reader.section(LISTS.name, type, isCompact ? COMPACT_LISTS_VERSION : 1)
  if (lists && isCompact !== (lists.version === COMPACT_LISTS_VERSION))
    throw corrupt('descriptor-damaged', `segment ${reader.descriptor.id}: its lists do not fit its centroids`)
  return centroids && lists && { centroids, lists }
}

/** @throws SiltstoneError `corrupt` (`section-damaged`) */
export async function readDirectory(
  reader: SegmentReader,
  section: SectionDescriptor,
  lists: SectionDescriptor,
): Promise<IvfDirectory> {
  const fail = (reason: string, cause?: unknown): never => {
    const key = reader.source.key(section)
    throw corrupt('section-damaged', `${key}: section ${section.name}: ${reason}`, { key, cause })
  }
  const parameters = parametersOf(section, fail)
  const { clusters, dimension, bits, seed, layout } = parameters
  const isCompact = COMPACT_VERSIONS.includes(section.version)
  const form = CODED_VERSIONS.includes(section.version) ? 'coded' : isCompact ? 'whole' : 'plain'
  const calibrationFloats = layout ? calibrationLength(layout) : 0
  const content = await readContent(reader, section, { form, clusters, dimension, seed, calibrationFloats }, fail)
  const { primaries, copies } = content
  const firstRows = new Uint32Array(clusters + 1)
  const offsets = new Float64Array(clusters + 1)
  for (let i = 0; i < clusters; i++) {
    const [own, copied] = [primaries[i] as number, copies[i] as number]
    firstRows[i + 1] = (firstRows[i] as number) + own
    offsets[i + 1] = (offsets[i] as number) + (content.lengths?.[i] ?? listBytes(dimension * bits, own, copied))
  }
  if (firstRows[clusters] !== reader.rows)
    fail(`its clusters hold ${firstRows[clusters]} rows, and the segment has ${reader.rows}`)
  if (offsets[clusters] !== lists.length)
    fail(`its lists take ${offsets[clusters]} bytes, not the ${lists.length} of ${lists.name}`)
  const calibration = layout ? decodeCalibration(content.calibration, layout) : UNCALIBRATED
  if (!calibration) return fail('its calibration is not one')
  const { centroids, scales } = content
  const squares = squaredLengths(centroids, scales, dimension)
  const { space, codeError, reach } = parameters
  return {
    clusters,
    dimension,
    bits,
    seed,
    space,
    codeError,
    reach: reach ?? Math.sqrt(squares.reduce((most, square) => Math.max(most, square), 0)),
    calibration,
    centroids,
    scales,
    squares,
    primaries,
    copies,
    firstRows,
    isCompact,
    offsets,
  }
}

function parametersOf(section: SectionDescriptor, fail: (reason: string) => never) {
  const { clusters, paddedDimension, seed, space, codeError, rotation } = section.params
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0
  if (!isCount(clusters)) return fail(`params.clusters is ${clusters}`)
  if (!isCount(paddedDimension) || paddedDimension % 64 !== 0)
    return fail(`params.paddedDimension is ${paddedDimension}`)
  if (typeof seed !== 'number' || !Number.isSafeInteger(seed)) return fail(`params.seed is ${seed}`)
  if (space !== 'l2' && space !== 'cosine' && space !== 'ip') return fail(`params.space is ${space}`)
  if (typeof codeError !== 'number' || !(codeError >= 0 && codeError <= 1))
    return fail(`params.codeError is ${codeError}`)
  if (rotation !== ROTATION) return fail(`params.rotation is ${rotation}`)
  const common = { clusters, dimension: paddedDimension, seed, space, codeError } as const
  if (section.version === 1) return { ...common, bits: 1, reach: undefined, layout: undefined } as const
  const { bits, reach } = section.params
  if (bits !== 1 && bits !== 2) return fail(`params.bits is ${bits}`)
  if (!(typeof reach === 'number' && reach >= 0)) return fail(`params.reach is ${reach}`)
  return { ...common, bits, reach, layout: layoutOf(section, fail) } as const
}

function layoutOf({ params, version }: SectionDescriptor, fail: (reason: string) => never): CalibrationLayout {
  const { recalls, neighbours, shares } = params
  const isCount = (value: unknown, least: number): value is number =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= MOST_RECALLS
  if (!isCount(recalls, 1) || !isCount(neighbours, 1))
    return fail(`params.recalls is ${recalls}, params.neighbours is ${neighbours}`)
  if (version >= FIRST_WITH_FILTERS) {
    if (!isCount(shares, 0)) return fail(`params.shares is ${shares}`)
    const hasOutside = version >= FIRST_WITH_OUTSIDE
    return { recalls, neighbours, shares, hasOutside, hasFar: version >= FIRST_WITH_FAR }
  }
  const { nearly, exponent } = version < FIRST_WITH_FLATNESS ? USUAL_FLATNESS : params
  if (!(typeof nearly === 'number' && nearly >= 1 && nearly < Number.POSITIVE_INFINITY))
    return fail(`params.nearly is ${nearly}`)
  if (!(typeof exponent === 'number' && exponent >= 0 && exponent <= 1)) return fail(`params.exponent is ${exponent}`)
  return { recalls, neighbours, shares: 0, hasOutside: false, hasFar: false, common: { nearly, exponent } }
}

function squaredLengths(centroids: Int8Array, scales: Float32Array, dimension: number): Float32Array {
  return scales.map((scale, i) => {
    let sum = 0
    for (let d = i * dimension; d < (i + 1) * dimension; d++) sum += (centroids[d] as number) ** 2
    return sum * scale * scale
  })
}
