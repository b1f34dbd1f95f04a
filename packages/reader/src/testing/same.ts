/** Comparisons for checks that also run in browsers, where the test runner's are not. */

/** @throws Error that shows both values */
export function same(actual: unknown, expected: unknown, what = 'value'): void {
  const [a, b] = [textOf(actual), textOf(expected)]
  if (a !== b) throw new Error(`${what}: expected ${shortened(b)}, got ${shortened(a)}`)
}

/** @throws Error unless it rejects with this code */
export async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  let error: unknown
  try {
    await promise
  } catch (thrown) {
    error = thrown
  }
  const found = error instanceof Error && 'code' in error ? error.code : String(error)
  if (found !== code) throw new Error(`expected an error ${code}, got ${String(found)}`)
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? 'undefined'
}

const shortened = (text: string): string => (text.length > 400 ? `${text.slice(0, 400)}…` : text)
