/** Checks the shape of a method's arguments, so that a caller without types gets a sentence. */
import { invalid } from '../errors.ts'

/**
 * @param method as in `collection.query`
 * @param example a call that is right
 * @throws SiltstoneError `invalid` (bad-arguments, unknown-argument)
 */
export function checkArguments(method: string, args: unknown, known: readonly string[], example: string): void {
  if (typeof args !== 'object' || args === null || Array.isArray(args))
    throw invalid('bad-arguments', `${method} takes one object, and got ${described(args)}: call ${example}`)
  for (const [name, value] of Object.entries(args)) {
    if (known.includes(name) || value === undefined) continue
    const near = nearest(name, known)
    const remedy = near === undefined ? `it has ${known.join(', ')}` : `did you mean ${near}?`
    throw invalid('unknown-argument', `${method} has no argument ${JSON.stringify(name)}: ${remedy}`, { field: name })
  }
}

/** @throws SiltstoneError `invalid` (bad-list) where something else than a list was given */
export function checkList(field: string, value: unknown): void {
  if (value === undefined || value === null || Array.isArray(value)) return
  const remedy = typeof value === 'string' ? `[${JSON.stringify(shortened(value))}]` : 'a list'
  throw invalid('bad-list', `${field} is ${described(value)}: give ${remedy}`, { field })
}

/** @throws SiltstoneError `invalid` (bad-k) */
export function checkResults(nResults: unknown): asserts nResults is number {
  if (typeof nResults === 'number' && Number.isSafeInteger(nResults) && nResults >= 1) return
  const got = typeof nResults === 'number' ? String(nResults) : described(nResults)
  throw invalid('bad-k', `nResults is ${got}; give an integer of 1 or more`, { field: 'nResults' })
}

export function described(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return `the string ${JSON.stringify(shortened(value))}`
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

/** The known name that differs in at most a third of its letters, rounded up, spelling with `_` and case aside. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll('_', '')
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const one of known) {
    const distance = editDistance(plain(name), plain(one))
    if (distance < least && distance <= Math.max(1, Math.ceil(one.length / 3))) [best, least] = [one, distance]
  }
  return best
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      )
    row = next
  }
  return row[b.length] as number
}
