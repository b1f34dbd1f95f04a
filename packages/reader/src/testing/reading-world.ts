/** Records whose answers a plain model can give. */
export const DIMENSION = 16
export const RECORDS = 1_200
/** The version of the collection that holds them. */
export const VERSION = 1

export interface WorldRecord {
  id: string
  embedding: number[]
  document: string | null
  metadata: Record<string, boolean | number | bigint | string> | null
  uri: string | null
}

const NOUNS = ['river', 'delta', 'harbour', 'glacier', 'meadow', 'canyon', 'lagoon']
const VERBS = ['carries', 'hides', 'freezes', 'floods']

export function record(n: number): WorldRecord {
  const noun = NOUNS[n % NOUNS.length]
  return {
    id: `record-${n}`,
    // Values that int8 holds to within a hundredth.
    embedding: Array.from({ length: DIMENSION }, (_, d) => Math.sin(n * (d + 1) + d)),
    document: n % 50 === 49 ? null : `The ${noun} ${VERBS[n % VERBS.length]} number ${n}. größe 雪 🏔`,
    metadata: n % 10 === 9 ? null : { tenth: n % 10, noun: noun ?? '', even: n % 2 === 0, big: 2n ** 60n + BigInt(n) },
    uri: n % 3 === 0 ? `https://a.example/${n}` : null,
  }
}

export const records = (): WorldRecord[] => Array.from({ length: RECORDS }, (_, n) => record(n))

/** Squared distance. */
export function distance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, d) => sum + (value - (b[d] ?? 0)) ** 2, 0)
}
