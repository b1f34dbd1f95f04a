/** Estimates the distances of all rows that some clusters list, from their codes. */
import { PACK } from '../directory.ts'
import type { ClusterList } from '../lists.ts'
import type { Candidates } from './candidates.ts'
import { isFiltered } from './indexed-segment.ts'
import type { PreparedQuery } from './prepared-query.ts'
import type { Probe } from './probe.ts'
import type { Workspace } from './workspace.ts'

export interface ProbedList {
  probe: Probe
  list: ClusterList
}

export interface ScanLimits {
  /** Half the width of the interval around an estimate, in standard deviations. */
  deviations: number
  /** A row whose interval begins beyond this is no candidate. Default: the candidates' bound. */
  limit?: number
}

/** Part of some lists, nearest clusters first, so that the bound is soon tight. */
export interface ListRange {
  probed: readonly ProbedList[]
  start: number
  end: number
}

/**
 * @param query lists whose probes were prepared for another one are passed over
 * @returns number of entries scanned
 */
export function scanLists(
  workspace: Workspace,
  query: PreparedQuery,
  { probed, start, end }: ListRange,
  { deviations, limit }: ScanLimits,
  candidates: Candidates,
): number {
  if (start === end) return 0
  const { kernels } = workspace
  const { codeLength } = query
  let room = PACK
  let packBytes = 1
  for (let at = start; at < end; at++) {
    const { list } = probed[at] as ProbedList
    room = Math.max(room, list.entries)
    packBytes = Math.max(packBytes, list.packs.length)
  }
  room += PACK
  const table = workspace.scratch('table', codeLength * 4)
  const packs = workspace.scratch('packs', packBytes)
  const entries = workspace.scratch('entries', room * 4)
  const lowers = workspace.scratch('lowers', room * 4)
  const uppers = workspace.scratch('uppers', room * 4)
  const { bytes, words, floats } = workspace.views
  const [firstEntry, firstLower, firstUpper] = [entries / 4, lowers / 4, uppers / 4]
  bytes.set(query.table, table)
  let scanned = 0
  for (let at = start; at < end; at++) {
    const { probe, list } = probed[at] as ProbedList
    if (probe.query !== query) continue
    bytes.set(list.packs, packs)
    scanned += list.entries
    const found = kernels.scanCodes(
      table,
      codeLength,
      query.tableScale,
      query.tableOffset,
      packs,
      list.entries,
      probe.base,
      deviations * probe.deviation,
      limit ?? candidates.bound,
      entries,
      lowers,
      uppers,
    )
    const { primaries, firstRow, copies } = list
    const { firstTag } = probe.segment
    const admitted = isFiltered(probe.segment) ? probe.segment.rows : undefined
    for (let i = 0; i < found; i++) {
      const entry = words[firstEntry + i] as number
      const row = entry < primaries ? firstRow + entry : (copies[entry - primaries] as number)
      if (admitted === undefined || admitted.has(row))
        candidates.add(firstTag + row, floats[firstLower + i] as number, floats[firstUpper + i] as number, deviations)
    }
  }
  return scanned
}
