/** Puts together what the searches of one rank expression found, and picks the best by the value of the expression. */
import type { Knn } from '../model/search.ts'
import type { Domain } from './domain.ts'
import { supportOf } from './domain.ts'
import type { FoundList } from './evaluate.ts'
import { byScore } from './order.ts'
import type { RankedRecord } from './retriever.ts'

export interface Hit extends RankedRecord {
  /** Among the records that any `$knn` found. */
  place: number
}

/** Each record once. @param lists the best first */
export function joined(lists: ReadonlyMap<Knn, readonly RankedRecord[]>): {
  records: RankedRecord[]
  found: Map<Knn, FoundList>
} {
  const records: RankedRecord[] = []
  const byOrdinal = new Map<number, number>()
  const found = new Map<Knn, FoundList>()
  for (const [knn, list] of lists) {
    const places = new Uint32Array(list.length)
    const scores = new Float32Array(list.length)
    for (const [i, record] of list.entries()) {
      let place = byOrdinal.get(record.ordinal)
      if (place === undefined) {
        place = records.push(record) - 1
        byOrdinal.set(record.ordinal, place)
      }
      places[i] = place
      scores[i] = record.score
    }
    found.set(knn, { places, scores })
  }
  return { records, found }
}

/**
 * @param domain the value of the expression
 * @param count how many are wanted at most
 * @returns the best of the records with a score, by score, then by order of insertion; all of them if one has no finite score
 */
export function bestHits(domain: Domain, records: readonly RankedRecord[], count: number): Hit[] {
  const places = supportOf(domain)
  const { values } = domain
  let wanted = places
  if (count < places.length) {
    const scores = Float32Array.from(places, (place) => values[place] as number)
    if (scores.every(Number.isFinite)) {
      const last = scores.sort()[Math.max(0, count - 1)] as number
      wanted = places.filter((place) => (values[place] as number) <= last)
    }
  }
  const hits = wanted.map((place) => {
    const { ref, ordinal } = records[place] as RankedRecord
    return { ref, ordinal, score: values[place] as number, place }
  })
  hits.sort(byScore)
  return wanted === places ? hits : hits.slice(0, count)
}
