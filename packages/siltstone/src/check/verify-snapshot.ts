/** Verifies a manifest and everything reachable from it. Objects that several manifests share are read once. */
import { corrupt } from '../errors.ts'
import { verifyFilterIndex } from '../filter-index/verify-filter-index.ts'
import { hash64 } from '../format/hash64.ts'
import type { DeletionsRef, Manifest, SegmentRef } from '../format/manifest.ts'
import { OverlayReader } from '../format/segment/overlay.ts'
import { verifySegment } from '../format/segment/verify-segment.ts'
import { SegmentReader } from '../format/segment/reader.ts'
import { verifyIvf } from '../ivf/verify-ivf.ts'
import type { Environment } from '../ports/environment.ts'
import { loadDeletions, type SegmentPool } from '../snapshot/open-segment.ts'
import { RowSet } from '../format/row-set.ts'
import { verifyWordIndexes } from '../word-index/verify-word-index.ts'
import { Findings, type Problem } from './verify-report.ts'

/** What is kept of a segment's rows to compare them with other segments: 16 bytes per row. */
interface SegmentRows {
  reader: SegmentReader
  ordinals: Float64Array
  /** 64-bit hashes of the ids. */
  hashes: BigUint64Array
}

export class SnapshotVerifier {
  readonly #env: Pick<Environment, 'store'>
  readonly #pool: Pick<SegmentPool, 'readRange'>
  readonly #deep: boolean
  readonly #findings: Findings
  readonly #rows = new Map<string, Promise<SegmentRows | undefined>>()
  readonly #overlays = new Map<string, Promise<boolean>>()

  constructor(
    env: Pick<Environment, 'store'>,
    pool: Pick<SegmentPool, 'readRange'>,
    options: { deep: boolean; findings: Findings },
  ) {
    this.#env = env
    this.#pool = pool
    this.#deep = options.deep
    this.#findings = options.findings
  }

  /** @param remedy for damage to what this manifest reaches */
  async verify(manifest: Manifest, key: string, remedy: string, severity: Problem['severity']): Promise<void> {
    const findings = this.#findings
    const live: { rows: SegmentRows; live: RowSet }[] = []
    let liveRecords = 0
    for (const ref of manifest.segments) {
      const rows = await this.#segment(ref, manifest, remedy, severity)
      const deleted = await findings.check(
        ref.deletions?.object?.key ?? key,
        remedy,
        () => this.#deletions(ref.deletions, ref.segment.rows),
        severity,
      )
      await Promise.all(ref.overlays.map((overlay) => this.#overlay(overlay, ref.segment.rows, remedy, severity)))
      liveRecords += ref.segment.rows - (ref.deletions?.count ?? 0)
      if (rows && deleted !== undefined) {
        const set = RowSet.full(ref.segment.rows)
        live.push({ rows, live: deleted ? set.subtract(deleted) : set })
      }
    }
    if (liveRecords !== manifest.liveRecords)
      findings.report(
        key,
        `it says ${manifest.liveRecords} live records, its segments less their deletions have ${liveRecords}`,
        remedy,
        severity,
      )
    if (this.#deep && live.length === manifest.segments.length)
      await this.#compareRows(live, manifest, key, remedy, severity)
  }

  async #deletions(ref: DeletionsRef | null, rows: number): Promise<RowSet | null> {
    if (ref?.object) this.#findings.object(ref.object.key, ref.object.sizeBytes)
    return loadDeletions(this.#env.store, ref, rows)
  }

  #segment(
    ref: SegmentRef,
    manifest: Manifest,
    remedy: string,
    severity: Problem['severity'],
  ): Promise<SegmentRows | undefined> {
    const { segment } = ref
    let known = this.#rows.get(segment.id)
    if (!known) {
      this.#findings.figures.segments++
      const first = segment.files[0]?.key ?? segment.id
      known = this.#findings.check(
        first,
        remedy,
        async () => {
          for (const file of segment.files) await this.#file(file)
          if (segment.dimension !== manifest.dimension)
            this.#findings.report(
              first,
              `it has ${segment.dimension} dimensions, the collection ${manifest.dimension}`,
              remedy,
              severity,
            )
          return this.#deep ? this.#readRows(ref) : undefined
        },
        severity,
      )
      this.#rows.set(segment.id, known)
    }
    return known
  }

  async #file(file: { key: string; sizeBytes: number }): Promise<void> {
    if (!this.#findings.object(file.key, file.sizeBytes)) return
    await checkSize(this.#env, file)
  }

  async #readRows(ref: SegmentRef): Promise<SegmentRows> {
    const reader = new SegmentReader(ref.segment, this.#pool.readRange)
    await verifySegment(reader)
    await verifyIvf(reader)
    await verifyFilterIndex(reader)
    await verifyWordIndexes(reader)
    const { ordinals } = await reader.rowRange(0, reader.rows)
    const hashes = new BigUint64Array(reader.rows)
    for await (const block of reader.scanColumn('ids'))
      for (let row = block.firstRow; row < block.firstRow + block.rows; row++)
        hashes[row] = hashOf(block.get(row) ?? '')
    return { reader, ordinals, hashes }
  }

  #overlay(
    descriptor: SegmentRef['overlays'][number],
    rows: number,
    remedy: string,
    severity: Problem['severity'],
  ): Promise<boolean> {
    let known = this.#overlays.get(descriptor.id)
    if (!known) {
      known = this.#findings
        .check(descriptor.key, remedy, () => this.#checkOverlay(descriptor, rows), severity)
        .then((ok) => ok === true)
      this.#overlays.set(descriptor.id, known)
    }
    return known
  }

  async #checkOverlay(descriptor: SegmentRef['overlays'][number], rows: number): Promise<boolean> {
    await this.#file(descriptor)
    if (!this.#deep) return true
    const reader = new OverlayReader(descriptor, this.#pool.readRange)
    await reader.verify()
    const targets = await reader.load()
    const outside = targets.rows.find((row) => row >= rows)
    if (outside !== undefined) throw new RangeError(`it changes row ${outside} of a segment of ${rows} rows`)
    return true
  }

  /** No id and no ordinal may be live twice. */
  async #compareRows(
    parts: readonly { rows: SegmentRows; live: RowSet }[],
    manifest: Manifest,
    key: string,
    remedy: string,
    severity: Problem['severity'],
  ): Promise<void> {
    const total = parts.reduce((sum, { live }) => sum + live.count(), 0)
    const hashes = new BigUint64Array(total)
    const ordinals = new Float64Array(total)
    let at = 0
    for (const { rows, live } of parts)
      for (const row of live) {
        hashes[at] = rows.hashes[row] as bigint
        ordinals[at++] = rows.ordinals[row] as number
      }
    ordinals.sort()
    const twice = ordinals.find((ordinal, i) => i > 0 && ordinal === ordinals[i - 1])
    if (twice !== undefined)
      this.#findings.report(key, `two live records have the place ${twice} in the order of insertion`, remedy, severity)
    const last = ordinals.at(-1)
    if (last !== undefined && last >= manifest.nextOrdinal)
      this.#findings.report(
        key,
        `a record has the place ${last}, but the next one would get ${manifest.nextOrdinal}`,
        remedy,
        severity,
      )
    hashes.sort()
    const suspects = new Set<bigint>()
    for (let i = 1; i < total; i++) if (hashes[i] === hashes[i - 1]) suspects.add(hashes[i] as bigint)
    if (suspects.size === 0) return
    const seen = new Set<string>()
    for (const { rows, live } of parts) {
      const candidates = live.toArray().filter((row) => suspects.has(rows.hashes[row] as bigint))
      for (const id of await rows.reader.ids(candidates)) {
        if (seen.has(id)) this.#findings.report(key, `the id ${JSON.stringify(id)} is live twice`, remedy, severity)
        seen.add(id)
      }
    }
  }
}

/** Reads every byte of a manifest's snapshot. Returns what is damaged. */
export async function damageOf(
  env: Pick<Environment, 'store'>,
  pool: Pick<SegmentPool, 'readRange'>,
  manifest: Manifest,
  key: string,
): Promise<Problem[]> {
  const findings = new Findings()
  await new SnapshotVerifier(env, pool, { deep: true, findings }).verify(manifest, key, '', 'error')
  return findings.problems
}

/** @throws SiltstoneError `corrupt` when an object is missing or of another size */
async function checkSize(
  env: Pick<Environment, 'store'>,
  { key, sizeBytes }: { key: string; sizeBytes: number },
): Promise<void> {
  const head = await env.store.head(key)
  if (!head) throw corrupt('object-missing', `${key} does not exist although it is referred to`, { key })
  if (head.sizeBytes !== sizeBytes)
    throw corrupt('size-mismatch', `${key} has ${head.sizeBytes} bytes, ${sizeBytes} were written`, { key })
}

function hashOf(id: string): bigint {
  const { hi, lo } = hash64(id)
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)
}
