/** Estimates the distances of all records of some clusters, from their codes. */
import { PACK } from './directory.ts'
import type { Estimates } from './estimates.ts'
import type { ClusterList } from './lists.ts'
import type { PreparedQuery } from './prepared-query.ts'
import type { Probe } from './probe.ts'
import type { Workspace } from './workspace.ts'

export interface ScanItem {
  probe: Probe
  list: ClusterList
  /** Added to a row's number, gives its tag. */
  firstTag: number
  /** The rows to look at; all when left out. */
  rows: { has(row: number): boolean } | undefined
}

/**
 * Best clusters first.
 * @param deviations width of the interval around an estimate, in standard deviations
 * @returns number of entries scanned
 */
export function scanLists(
  workspace: Workspace,
  query: PreparedQuery,
  items: readonly ScanItem[],
  deviations: number,
  estimates: Estimates,
): number {
  const { kernels } = workspace
  const { dimension } = query
  const room = items.reduce((most, { list }) => Math.max(most, list.entries), PACK) + PACK
  const table = workspace.scratch('table', dimension * 4)
  const packs = workspace.scratch(
    'packs',
    items.reduce((most, { list }) => Math.max(most, list.packs.length), 1),
  )
  const entries = workspace.scratch('entries', room * 4)
  const lowers = workspace.scratch('lowers', room * 4)
  const uppers = workspace.scratch('uppers', room * 4)
  const { buffer } = kernels.memory
  const bytes = new Uint8Array(buffer)
  const foundEntries = new Uint32Array(buffer, entries, room)
  const foundLowers = new Float32Array(buffer, lowers, room)
  const foundUppers = new Float32Array(buffer, uppers, room)
  bytes.set(query.table, table)
  let scanned = 0
  for (const { probe, list, firstTag, rows } of items) {
    bytes.set(list.packs, packs)
    scanned += list.entries
    const found = kernels.scanCodes(
      table,
      dimension,
      query.tableScale,
      query.tableOffset,
      packs,
      list.entries,
      probe.base,
      deviations * probe.deviation,
      estimates.bound,
      entries,
      lowers,
      uppers,
    )
    const { primaries, firstRow, copies } = list
    for (let i = 0; i < found; i++) {
      const entry = foundEntries[i] as number
      const row = entry < primaries ? firstRow + entry : (copies[entry - primaries] as number)
      if (rows === undefined || rows.has(row))
        estimates.add(firstTag + row, foundLowers[i] as number, foundUppers[i] as number)
    }
  }
  return scanned
}
