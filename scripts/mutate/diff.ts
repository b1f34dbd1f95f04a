import type { Mutant } from './mutants.ts'

/** The lines that a mutant changes, with its name and place. */
export function diffOf({ name, path, line, original, mutated }: Mutant): string {
  const [before, after] = [original.split('\n'), mutated.split('\n')]
  let first = 0
  while (before[first] === after[first] && first < before.length) first++
  let same = 0
  while (
    same < Math.min(before.length, after.length) - first &&
    before[before.length - 1 - same] === after[after.length - 1 - same]
  )
    same++
  const marked = (lines: string[], sign: string) =>
    lines.slice(first, lines.length - same).map((one) => `${sign}${one}`)
  return [`${path}:${line} (${name})`, ...marked(before, '-'), ...marked(after, '+')].join('\n')
}
