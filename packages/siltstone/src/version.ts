/** Of this package; a test holds it to `package.json`. */
export const VERSION = '0.1.0'

/** Whether version `a` comes before `b`: `1.9.3` before `1.10.0`, a pre-release before its release. */
export function isOlderVersion(a: string, b: string): boolean {
  const [numbersA, numbersB] = [a, b].map((version) => (version.split('-')[0] ?? '').split('.').map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (numbersA?.[i] ?? 0) - (numbersB?.[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return a.includes('-') && !b.includes('-')
}
