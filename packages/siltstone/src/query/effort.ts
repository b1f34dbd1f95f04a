import type { SearchOptions } from '../model/read.ts'

/** How much of the index a search looks at. What the numbers do on real text: bench/RESULTS.md. */
export interface Effort {
  /** Clusters whose lists are read, were there one segment only. */
  probes(k: number): number
  /** With a filter that admits this share of the rows: how many admitted rows to see, given how many rows one would see without. */
  matchesWanted(rowsWithout: number, share: number): number
  /** … and the most clusters to visit for it. */
  mostProbes(probes: number, share: number): number
  /** Half the width of an estimate's interval, in standard deviations. */
  deviations: number
  /** By how much wider it is for those that are measured after the likeliest, when it is known how far away these are. */
  laterWidth: number
  /** Most records measured exactly. */
  rerank: number
}

/** Rare rows lie apart: so many of them are seen where a filter admits less than `RARE`, and fewer where it admits more. */
const LEAST_MATCHES = 3_000
const RARE = 0.02

export function effortOf(k: number, options: SearchOptions = {}): Effort {
  const { probes } = options
  return {
    probes: (wanted) => probes ?? Math.ceil(48 * Math.sqrt(Math.max(1, wanted / 10))),
    matchesWanted: (rowsWithout, share) =>
      Math.max(LEAST_MATCHES * Math.min(1, Math.sqrt(RARE / share)), rowsWithout * share ** 0.4),
    mostProbes: (base, share) => Math.ceil((base * 3) / share),
    deviations: options.deviations ?? 1.5,
    laterWidth: 1.75 / 1.5,
    rerank: options.rerank ?? Math.max(200, 10 * k),
  }
}
