/** What a migration or a comparison left out: counted by kind, with the first examples. */
import type { Skipped } from './types.ts'

export interface LeftOut {
  /** Records. */
  records: number
  /** Records and other parts, by kind. */
  kinds: Partial<Record<Skipped['kind'], number>>
  examples: Skipped[]
}

const EXAMPLES = 20

export const nothingLeftOut = (): LeftOut => ({ records: 0, kinds: {}, examples: [] })

export function addLeftOut(left: LeftOut, skipped: readonly Skipped[]): void {
  for (const one of skipped) {
    left.records += one.records ?? 1
    left.kinds[one.kind] = (left.kinds[one.kind] ?? 0) + Math.max(1, one.records ?? 1)
    if (left.examples.length < EXAMPLES) left.examples.push(one)
  }
}

export function isComplete({ kinds }: LeftOut): boolean {
  return Object.keys(kinds).length === 0
}
