/** Who wrote commits: programs left out, and the names of one person joined. */
import type { Commit } from '../evidence/evidence.ts'

type Author = { name: string | null; email?: string | null; login: string | null }

const BOT =
  /\[bot\]|(?:^|[-_ ])bot$|^(?:dependabot|renovate|greenkeeper|github-actions|pre-commit-ci|semantic-release|web-flow|codecov|snyk|mergify|allcontributors)\b/i

export function isBot(author: Author): boolean {
  return [author.login, author.name, author.email?.split('@')[0]].some((name) => name != null && BOT.test(name))
}

/**
 * The number of commits of each person. Commits that share a login, an e-mail address or a full name (two words or more: a first
 * name alone is shared by many) are of one person.
 */
export function commitsByPerson(commits: readonly Commit[]): number[] {
  const parent = new Map<string, string>()
  const root = (key: string): string => {
    let at = key
    for (let next = parent.get(at); next !== undefined && next !== at; next = parent.get(at)) at = next
    parent.set(key, at)
    return at
  }
  const keysOf = ({ author, id }: Commit): string[] => {
    const keys = []
    if (author.login) keys.push(`login ${author.login.toLowerCase()}`)
    if (author.email) keys.push(`email ${author.email.toLowerCase()}`)
    const name = author.name?.trim().toLowerCase().replaceAll(/\s+/g, ' ')
    if (name?.includes(' ') || (name && keys.length === 0)) keys.push(`name ${name}`)
    return keys.length === 0 ? [`commit ${id}`] : keys
  }
  for (const commit of commits) {
    const [first = '', ...others] = keysOf(commit)
    for (const other of others) parent.set(root(other), root(first))
  }
  const counts = new Map<string, number>()
  for (const commit of commits) {
    const person = root(keysOf(commit)[0] ?? '')
    counts.set(person, (counts.get(person) ?? 0) + 1)
  }
  return [...counts.values()].toSorted((a, b) => b - a)
}

const DAY_MS = 86_400_000

/** The time `months` (of 30.44 days) before the end of the day `observedOn`, in milliseconds. */
export function monthsBefore(observedOn: string, months: number): number {
  return Date.parse(`${observedOn}T00:00:00Z`) + DAY_MS - months * 30.44 * DAY_MS
}
