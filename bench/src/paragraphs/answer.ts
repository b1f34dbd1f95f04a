/** What a peer's process prints as JSON. */
export interface PeerAnswer {
  /** Of building the index. */
  seconds: number
  /** Of the index; 0: it is in memory. */
  bytes: number
  /** By "list of queries, top k". */
  found: Record<string, { times: number[]; hits: [row: number, score: number][][] }>
}

export const TOP = [10, 100] as const
